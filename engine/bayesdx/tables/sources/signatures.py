"""Files that are something else than their name says, by how they begin."""

from __future__ import annotations

from bayesdx.errors import Fault, InvalidCase, Phrase

#: The option, which `bayesdx network` has for its own text as well.
ENCODING = "--encoding (of network: --cases-encoding)"
_BEGINNINGS = {
    b"PAR1": "a Parquet file without its suffix",
    b"\x1f\x8b": "a gzip file without its suffix",
    b"\x28\xb5\x2f\xfd": "a zstd file without its suffix",
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"ARROW1": "an Arrow file",
    b"%PDF": "a PDF file",
    b"SQLite format 3": "an SQLite database",
    # Before UTF-16, whose mark this one begins with.
    b"\xff\xfe\0\0": f"UTF-32 text: save it as UTF-8, or name its encoding: {ENCODING}",
    b"\xff\xfe": f"UTF-16 text: save it as UTF-8, or name its encoding: {ENCODING}",
    b"\xfe\xff": f"UTF-16 text: save it as UTF-8, or name its encoding: {ENCODING}",
}


def refuse_foreign(beginning: bytes, name: str, expected: str = "CSV text") -> None:
    """Refuse what begins like another format.

    Parameters
    ----------
    beginning : bytes
        The first bytes.
    name : str
        The input.
    expected : str

    Raises
    ------
    InvalidCase
        With what it seems to be.
    """
    for mark, called in _BEGINNINGS.items():
        if beginning.startswith(mark):
            raise InvalidCase(Fault(name, expected, Phrase(called)))
    start = beginning.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    called = ""
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        called = "a web page or XML"
    elif start.startswith(b"["):
        called = "a JSON array"
    elif start.startswith(b"{") and expected == "CSV text":
        called = "JSON without its suffix"
    elif b"\0" in beginning[:4]:
        called = "NUL bytes: UTF-16 without a mark, or no text at all"
    if called:
        raise InvalidCase(Fault(name, expected, Phrase(called)))
