"""Which format an input is in: as stated, or as its name says; never guessed from its content."""

from __future__ import annotations

from pathlib import Path

from bayesdx.errors import Fault, InvalidCase, Phrase, nearest_names

STANDARD_STREAM = "-"
#: The path of standard input, where there is one: it may be a file as any other.
STANDARD_PATH = Path("/dev/stdin")
STANDARD_INPUT = "standard input"
CSV, JSON_LINES, PARQUET = "csv", "jsonl", "parquet"
#: What `open_cases` reads, as it is stated.
FORMATS = ("csv", "csv.gz", "csv.zst", "jsonl", "jsonl.gz", "jsonl.zst", "parquet")
PARQUET_SUFFIXES = frozenset({".parquet", ".pq"})
JSON_LINES_SUFFIXES = frozenset({".jsonl", ".ndjson"})
COMPRESSED_SUFFIXES = {".gz": "gz", ".zst": "zst"}
#: Formats that people do try. Anything else (.txt, no suffix) is taken for CSV.
FOREIGN_SUFFIXES = frozenset(
    {
        *(".xlsx", ".xls", ".xlsm", ".ods", ".numbers", ".json", ".xml", ".html", ".htm", ".pdf"),
        *(".feather", ".arrow", ".orc", ".avro", ".sav", ".dta", ".sas7bdat", ".rds", ".pkl"),
        *(".zip", ".bz2", ".xz", ".7z", ".tar", ".tgz", ".lz4", ".db", ".sqlite"),
    }
)
_EXPECTED = "a name ending in .csv, .jsonl (each also with .gz or .zst) or .parquet"


def format_of(source: str | Path, stated: str | None) -> tuple[str, str]:
    """Tell the format of an input and how it is compressed.

    Parameters
    ----------
    source : str or Path
        A file, a folder (of Parquet files), or ``-`` for standard input.
    stated : str, optional
        One of `FORMATS`; overrules the name.

    Returns
    -------
    kind : {"csv", "jsonl", "parquet"}
    compression : {"", "gz", "zst"}

    Raises
    ------
    InvalidCase
        The stated format is none, or the name is that of a format that is not read.
    """
    if stated is not None:
        if stated not in FORMATS:
            near = nearest_names(stated, FORMATS)
            raise InvalidCase(Fault("format", f"one of {', '.join(FORMATS)}", stated, near))
        kind, _, compression = stated.partition(".")
        return kind, compression
    if str(source) == STANDARD_STREAM:
        return CSV, ""
    path = Path(source)
    if path.is_dir():
        return PARQUET, ""
    suffix = path.suffix.lower()
    compression = COMPRESSED_SUFFIXES.get(suffix, "")
    if compression:
        inner = path.with_suffix("").suffix.lower()
        if inner == ".csv":
            return CSV, compression
        if inner in JSON_LINES_SUFFIXES:
            return JSON_LINES, compression
        raise InvalidCase(Fault(str(path), _EXPECTED, Phrase(f"{inner}{suffix}")))
    if suffix in FOREIGN_SUFFIXES:
        raise InvalidCase(Fault(str(path), _EXPECTED, suffix))
    if suffix in PARQUET_SUFFIXES:
        return PARQUET, ""
    return (JSON_LINES if suffix in JSON_LINES_SUFFIXES else CSV), ""


def unreadable(path: Path, reason: OSError, what: str = "a file") -> Fault:
    """Say why a file cannot be opened, with the names of files that may have been meant."""
    if isinstance(reason, FileNotFoundError):
        folder = path.parent
        here = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
        return Fault(str(path), what, Phrase("no such file"), nearest_names(path.name, here))
    if isinstance(reason, IsADirectoryError):
        return Fault(str(path), what, Phrase("a folder"))
    return Fault(str(path), "a readable file", Phrase(reason.strerror or str(reason)))
