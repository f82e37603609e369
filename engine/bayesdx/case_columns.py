"""Which columns of a table of cases are evidence, and which are about the case."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from bayesdx.checked_names import names_of
from bayesdx.errors import Fault, InvalidCase, nearest_names

CASE_ID = "case_id"

RESERVED = (CASE_ID, "expected_cause", "acceptable", "urgency", "source", "note")
"""Names that a case table may use for its own purposes; no finding may have one of them."""


@dataclass(frozen=True)
class ColumnRoles:
    """The columns of a table by what they are for.

    Attributes
    ----------
    evidence : tuple of str
        Columns to read findings from.
    id : str
        Column that names the cases; empty without one.
    kept : tuple of str
        Columns that are copied to the answer as they are.
    """

    evidence: tuple[str, ...]
    id: str
    kept: tuple[str, ...]

    @property
    def copied(self) -> tuple[str, ...]:
        """What stands before the answers, the id first."""
        return tuple(dict.fromkeys(([self.id] if self.id else []) + list(self.kept)))


def column_roles(
    columns: Sequence[str],
    known: Callable[[str], bool],
    *,
    id: str | None = None,
    keep: str | Iterable[str] = (),
    ignore: str | Iterable[str] = (),
    answers: Iterable[str] = (),
) -> ColumnRoles:
    """Say what each column of a table is for.

    A reserved column is never evidence, unless it is the name of a variable. A column that is kept
    and names a finding is evidence too; one that is ignored, and the id, never are.

    Parameters
    ----------
    columns : sequence of str
        All of the table.
    known : function
        Whether a name is that of a finding (risk, measure, variable).
    id : str, optional
        Column that names the cases; ``case_id``, where there is one, when not given.
    keep : str or iterable of str
        Columns to copy to the answer.
    ignore : str or iterable of str
        Columns that are neither evidence nor kept.
    answers : iterable of str
        Columns of the answer, of which a copied one must not have the name.

    Raises
    ------
    InvalidCase
        With every column that is not there, or that the answer has itself.
    """
    several = "a column of the table, or several"
    kept, ignored = names_of("keep", several, keep), names_of("ignore", several, ignore)
    taken = frozenset(answers)
    faults = []
    if not isinstance(id, Hashable):
        raise InvalidCase(Fault("id", "a column of the table", id))
    for place, names in (("id", () if id is None else (id,)), ("keep", kept), ("ignore", ignored)):
        for name in names:
            if name not in columns:
                near = nearest_names(str(name), map(str, columns))
                faults.append(Fault(place, "a column of the table", name, near))
            elif place != "ignore" and name in taken:
                faults.append(Fault(place, "a column that the answer does not have itself", name))
    if faults:
        raise InvalidCase(faults)
    label = id if id is not None else CASE_ID if CASE_ID in columns else ""
    if label in ignored or (id is None and known(label)):
        label = ""
    apart = {*ignored, label}
    return ColumnRoles(
        tuple(
            name
            for name in columns
            if name not in apart and (known(name) or name not in (*RESERVED, *kept))
        ),
        label,
        kept,
    )
