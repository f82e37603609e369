"""What is wrong with the names of columns."""

from __future__ import annotations

from collections.abc import Sequence

from bayesdx.errors import Fault


def header_faults(names: Sequence[str], name: str, line: int) -> list[Fault]:
    """Find names that are blank or given twice.

    Parameters
    ----------
    names : sequence of str
        Without blanks around them.
    name : str
        The input.
    line : int
        Where the header stands.
    """
    faults = []
    first: dict[str, int] = {}
    for column, label in enumerate(names, start=1):
        place = f"{name}:{line}:{column}"
        if not label:
            faults.append(Fault(place, "a column name", label))
        elif label in first:
            expected = f"each column once (this one is column {first[label]} already)"
            faults.append(Fault(place, expected, label))
        first.setdefault(label, column)
    return faults
