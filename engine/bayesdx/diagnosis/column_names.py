"""Which finding, risk or measure the name of a column means."""

from __future__ import annotations

from collections.abc import Iterable

from bayesdx.diagnosis.case_faults import CaseFaults
from bayesdx.errors import nearest_names
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.naming import folded

#: Unknown columns for which names that resemble them are looked for.
MOST_NEAREST = 20


class ColumnNames:
    """Names of findings, risks and measures: their ids and all aliases, in any case."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._names: dict[str, str] = {}
        self._ids: set[str] = set()
        for table in (knowledge.findings, knowledge.risks, knowledge.measures):
            for name, entry in table.items():
                for alias in (name, *entry.aliases_lay, *entry.aliases_professional):
                    self._names.setdefault(folded(alias), name)
                self._ids.add(name)

    def knows(self, name: str) -> bool:
        """Whether a name is that of a finding, risk or measure."""
        return name in self._ids or folded(str(name)) in self._names

    def target(self, column: str, faults: CaseFaults) -> str | None:
        """Return what a column is about; None, with a fault more, where that is nothing."""
        if column in self._ids:
            return column
        name = self._names.get(folded(column))
        if name is None:
            # Of a flood of unknown columns the first ones are enough.
            few = len(faults.faults) < MOST_NEAREST
            found = nearest_names(folded(column), self._names) if few else ()
            faults.add_column(column, tuple(dict.fromkeys(self._names[name] for name in found)))
        return name

    def check_columns(self, names: Iterable[str]) -> None:
        """Refuse columns that name no finding, risk or measure.

        Parameters
        ----------
        names : iterable of str
            Without the columns that are about the case and are never evidence.

        Raises
        ------
        InvalidCase
            With every such column and the names that it resembles.
        """
        faults = CaseFaults((), 0)
        for name in names:
            self.target(str(name), faults)
        faults.raise_any()
