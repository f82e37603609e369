"""Where scores go, and in which format: as the name says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.tables.sources.formats import CSV, PARQUET, STANDARD_STREAM, format_of

#: Beside an output: what is known of the run, the rows that were not scored, the unfinished run.
AUDIT_SUFFIX, REJECTED_SUFFIX, PARTS_SUFFIX = ".audit.json", ".rejected.csv", ".parts"


@dataclass(frozen=True)
class Target:
    """An output.

    Attributes
    ----------
    name : str
        As given.
    path : Path or None
        A file or folder, links followed; None for what is only written through: standard output,
        a pipe, a device.
    kind : {"csv", "jsonl", "parquet"}
    compression : {"", "gz", "zst"}
    folder : bool
        A folder of Parquet files.
    """

    name: str
    path: Path | None
    kind: str
    compression: str
    folder: bool

    def beside(self, suffix: str) -> Path:
        """Return the path of what stands beside the output."""
        assert self.path is not None
        return self.path.with_name(self.path.name + suffix)


def parse_target(output: str | Path) -> Target:
    """Read the name of an output.

    Parameters
    ----------
    output : str or Path
        ``.csv``, ``.jsonl`` (each also with ``.gz`` or ``.zst``) or ``.parquet``; a name that ends
        in ``/`` is a folder of Parquet files; ``-`` is CSV on standard output.

    Raises
    ------
    InvalidCase
        The name is that of another format, or of a folder that holds something.
    """
    name = str(output)
    if name == STANDARD_STREAM:
        return Target("standard output", None, CSV, "", folder=False)
    path = Path(name)
    if name.endswith("/"):
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise InvalidCase(Fault(name, "a new or empty folder", Phrase("one that holds files")))
        return Target(name, path.resolve(), PARQUET, "", folder=True)
    if path.is_dir():
        expected = "a file, or a name ending in / for a folder of Parquet files"
        raise InvalidCase(Fault(name, expected, Phrase("a folder")))
    kind, compression = format_of(path, None)
    if path.exists() and not path.is_file():
        # Replacing a pipe or /dev/null would destroy the device.
        return Target(name, None, kind, compression, folder=False)
    # A link keeps pointing where it points; its target is what gets replaced.
    return Target(name, path.resolve(), kind, compression, folder=False)
