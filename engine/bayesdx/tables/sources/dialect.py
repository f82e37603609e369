"""How the text of a table is written: what stands between cells, and in which encoding."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.tables.sources.formats import CSV

#: Marks that have a name on the command line.
NAMES = {"tab": "\t", "\\t": "\t", "semicolon": ";", "comma": ",", "bar": "|", "pipe": "|"}
#: Marks that people put between cells, with what they are called.
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True)
class Dialect:
    r"""How CSV text is written.

    Attributes
    ----------
    delimiter : str
        What stands between cells: one ASCII mark that is no letter, digit, quotation mark or end
        of line; also ``tab``, ``\t``, ``semicolon``, ``bar``. Blank: a comma, unless a first line
        ``sep=;`` says otherwise.
    encoding : str
        As Python names it; blank for UTF-8.

    Raises
    ------
    InvalidCase
        The mark cannot stand between cells, or there is no such encoding.
    """

    delimiter: str = ""
    encoding: str = ""

    def __post_init__(self) -> None:
        faults = []
        mark = self.mark
        if mark is not None and (len(mark) != 1 or not mark.isascii() or not _may_part(mark)):
            expected = "one mark between cells, such as ; or tab"
            faults.append(Fault("delimiter", expected, self.delimiter))
        if self.encoding:
            try:
                known = codecs.lookup(self.encoding)
                "".encode(known.name)
            except (LookupError, ValueError):
                expected = "an encoding of text, such as cp1252 or utf-16"
                faults.append(Fault("encoding", expected, self.encoding))
        if faults:
            raise InvalidCase(faults)

    @property
    def mark(self) -> str | None:
        """The mark between cells; None where it is not stated."""
        return NAMES.get(self.delimiter.lower(), self.delimiter) or None

    @property
    def codec(self) -> str | None:
        """The name of the encoding; None for UTF-8, which is read as it stands."""
        name = codecs.lookup(self.encoding).name if self.encoding else "utf-8"
        return None if name in ("utf-8", "utf-8-sig", "ascii") else name

    def check(self, kind: str, name: str) -> None:
        """Refuse options for text where the input is none.

        Raises
        ------
        InvalidCase
            An option is stated that the format has no use for.
        """
        if kind != CSV and (self.delimiter or self.encoding):
            got = Phrase(f"{name}, which needs none")
            raise InvalidCase(Fault("options", "CSV for --delimiter and --encoding", got))


def _may_part(mark: str) -> bool:
    return not (mark.isalnum() or mark in "\"'\r\n\0.+-_")
