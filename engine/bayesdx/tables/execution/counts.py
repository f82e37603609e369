"""What became of the records: counted chunk by chunk, added up, and never lost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass
class Counts:
    """Counts of records.

    Attributes
    ----------
    records : int
        That were read.
    scored : int
        That were scored and written.
    rejected : int
        That were not, for their faults.
    faults : int
        Of the rejected records; one record may have several.
    blank_ids, repeated_ids : int
        That have no id where there is a column of ids; whose id an earlier one has.
    lines : int
        That were written, the header not counted; more than records in the long shape.
    status, urgency, red_flags : Counter
        Of scored records, by name.
    """

    records: int = 0
    scored: int = 0
    rejected: int = 0
    faults: int = 0
    blank_ids: int = 0
    repeated_ids: int = 0
    lines: int = 0
    status: Counter[str] = field(default_factory=Counter)
    urgency: Counter[str] = field(default_factory=Counter)
    red_flags: Counter[str] = field(default_factory=Counter)

    def add(self, other: Counts) -> None:
        """Add the counts of other records."""
        for one in fields(self):
            mine, theirs = getattr(self, one.name), getattr(other, one.name)
            if isinstance(mine, Counter):
                mine.update(theirs)
            else:
                setattr(self, one.name, mine + theirs)

    def check(self) -> None:
        """Make sure that every record is accounted for.

        Raises
        ------
        AssertionError
            If one is not: a fault of this program, after which nothing may be handed out.
        """
        total = sum(self.status.values())
        if self.records != self.scored + self.rejected or self.scored != total:
            raise AssertionError(
                f"{self.records} records read, {self.scored} scored ({total} with a status), "
                f"{self.rejected} rejected"
            )

    def as_dict(self) -> dict[str, Any]:
        """Return the counts for a JSON document, the most frequent names first."""
        plain: dict[str, Any] = {}
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, Counter):
                value = dict(sorted(value.items(), key=lambda item: (-item[1], item[0])))
            plain[one.name] = value
        return plain

    @staticmethod
    def from_dict(plain: dict[str, Any]) -> Counts:
        """Return what `as_dict` was made of."""
        made = Counts()
        for one in fields(made):
            value = plain[one.name]
            setattr(made, one.name, Counter(value) if isinstance(value, dict) else int(value))
        return made
