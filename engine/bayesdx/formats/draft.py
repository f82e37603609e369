"""What has been read of a network so far, and everything that is wrong with it.

Every reader of this package takes the content of a file and an empty `Draft`, which names the file
in messages and says whether rows are scaled, and fills it; what comes of it is a network with a
`TableCPD` for each variable but those of noisy families, or an `InvalidNetwork` error. So all
formats hold the same rules:

- a row may miss the sum 1 by up to 1e-6, as printed decimals do, and is divided by its sum; more is
  a fault, unless ``normalise`` asks for rows to be scaled, which is told in one
  `InexactNetworkWarning` that names the variables and their sums;
- a table may have `MAX_TABLE_CELLS` cells, all tables of a file together `MOST_CELLS`;
- all faults are told at once, with their lines; after `MOST_FAULTS` of them reading stops.
"""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from bayesdx.errors import NOTHING, Fault, InvalidNetwork, Phrase, nearest_names
from bayesdx.network.cpds import (
    CPD,
    EXACT,
    MAX_TABLE_CELLS,
    TOLERANCE,
    FloatArray,
    TableCPD,
    unit_rows,
)
from bayesdx.network.network import Network
from bayesdx.network.variables import Variable

MOST_CELLS = 1 << 26
MOST_FAULTS = 100
FAULTS_A_TABLE = 5
#: Longer names are not compared with others, nor with more than so many of them.
LONGEST_COMPARED = 80
MOST_COMPARED = 2000
LONGEST_LABEL = 200


class InexactNetworkWarning(UserWarning):
    """Rows of a network's tables were no probabilities and were made such, as was asked for."""


@dataclass(frozen=True)
class Family:
    """A variable of the draft and its parents, all of them declared.

    Attributes
    ----------
    child : Variable
    parents : tuple of Variable
    line : int
        Where the table begins.
    """

    child: Variable
    parents: tuple[Variable, ...]
    line: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the table, ``(*parents, child)``."""
        return (*(parent.cardinality for parent in self.parents), self.child.cardinality)

    @property
    def rows(self) -> int:
        """Number of joint states of the parents."""
        return math.prod(self.shape[:-1])

    def labels(self, row: int) -> str:
        """Write the states of the parents in a row of the table."""
        states = np.unravel_index(row, self.shape[:-1])
        named = zip(self.parents, states, strict=True)
        return ", ".join(parent.states[int(state)] for parent, state in named)


class Draft:
    """A network in the making.

    Parameters
    ----------
    source : str
        The name that places in faults begin with.
    normalise : bool
        Whether rows of any positive sum are divided by it.
    """

    def __init__(self, source: str, *, normalise: bool = False) -> None:
        self.source, self.normalise = source, normalise
        self.variables: dict[str, Variable] = {}
        self.tables: dict[str, CPD] = {}
        self.faults: list[Fault] = []
        self._inexact: dict[str, float] = {}
        self._clipped: dict[str, float] = {}
        self._cells = 0
        #: Variables whose declaration was at fault: that they are not there is no further fault.
        self._spoilt: set[str] = set()
        #: Variables with a table, be it at fault.
        self._tabled: set[str] = set()

    def fault(
        self, line: int, what: str, expected: str, got: object, nearest: tuple[str, ...] = ()
    ) -> None:
        """Note a fault, and stop reading at one too many."""
        place = f"{self.source}:{line}" if line else self.source
        if isinstance(got, str) and not isinstance(got, Phrase):
            got = got[:200]
        self.faults.append(Fault(f"{place}: {what}" if what else place, expected, got, nearest))
        if len(self.faults) >= MOST_FAULTS:
            rest = Fault(
                self.source, "fewer faults", Phrase("more than can be told; reading ended")
            )
            raise InvalidNetwork([*self.faults, rest])

    def declare(self, line: int, name: str, states: Sequence[str], label: str = "") -> None:
        """Take in a variable, with another name for people where the file has one."""
        what = f"variable {name[:LONGEST_COMPARED]}"
        if not name:
            self.fault(line, "variable", "a name", name)
        elif name in self.variables:
            self.fault(line, what, "a unique name", Phrase("a second one"))
        elif len(set(states)) != len(states):
            again, times = Counter(states).most_common(1)[0]
            self.fault(line, what, "distinct states", Phrase(f"{again[:60]!r} {times} times"))
            self.spoil(name)
        elif not states or not all(states):
            got = Phrase("an empty one" if states else "none")
            self.fault(line, what, "one or more states, each with a name", got)
            self.spoil(name)
        else:
            # A label as long as a text is none that anybody would write above a column.
            known = label if label != name and len(label) <= LONGEST_LABEL else ""
            self.variables[name] = Variable(name, tuple(states), known)

    def refuse(self, what: str, names: Iterable[str]) -> InvalidNetwork:
        """Return the one fault of a file that holds another kind of model, such as decisions."""
        listed = [name[:LONGEST_COMPARED] for name in names]
        more = f" and {len(listed) - 5} more" if len(listed) > 5 else ""
        got = Phrase(f"{', '.join(listed[:5])}{more}")
        return InvalidNetwork(Fault(self.source, f"a Bayesian network: {what} not supported", got))

    def spoil(self, name: str) -> None:
        """Note that there is such a variable, of which nothing more can be said."""
        self._spoilt.add(name)

    def family(
        self, line: int, child: str, parents: Sequence[str], *, noisy: bool = False
    ) -> Family | None:
        """Check who a table is about; None when its numbers cannot be understood.

        The table of a `noisy` family is not bounded: whoever expands it calls `bounded`.
        """
        what = f"probability of {child[:LONGEST_COMPARED]}"
        known = [name for name in (child, *parents) if name in self.variables]
        for name in (child, *parents):
            # One fault is enough: of a variable whose declaration was wrong nothing more is said.
            if name not in self.variables and name not in self._spoilt:
                self.fault(line, what, "a declared variable", name, self.near(name))
        again = child in self._tabled
        self._tabled.add(child)
        if again:
            self.fault(line, what, "one table", Phrase("a second one"))
        elif len({child, *parents}) != len(parents) + 1:
            twice = Counter((child, *parents)).most_common(1)[0][0]
            self.fault(line, what, "distinct variables", Phrase(f"{twice[:60]!r} twice"))
        elif len(known) == len(parents) + 1:
            variables = [self.variables[name] for name in known]
            family = Family(variables[0], tuple(variables[1:]), line)
            return family if noisy else self.bounded(family)
        return None

    def bounded(self, family: Family) -> Family | None:
        """Count the cells of a table; None, with a fault, when they are too many."""
        what = f"probability of {family.child.name[:LONGEST_COMPARED]}"
        # The sum of logarithms does not overflow, whatever a file asks for.
        digits = sum(map(math.log10, family.shape))
        if digits > math.log10(MAX_TABLE_CELLS) + 1e-9:
            got = Phrase(f"10 to the power of {digits:.1f}")
            self.fault(family.line, what, f"at most {MAX_TABLE_CELLS} cells", got)
            return None
        self._cells += math.prod(family.shape)
        if self._cells > MOST_CELLS:
            self.fault(0, "all tables", f"at most {MOST_CELLS} cells", Phrase("more"))
            raise InvalidNetwork(self.faults)
        return family

    def define(
        self, family: Family, values: FloatArray, line_of: Callable[[int], int] | None = None
    ) -> None:
        """Take in a table.

        Parameters
        ----------
        family : Family
        values : array of float64, shape (rows, S)
            Rows in the order of the parents' joint states, the last parent fastest.
        line_of : callable, optional
            The line of a row; by default that of the table.
        """
        rows = self.distributions(family, values, line_of)
        if rows is not None:
            parents = tuple(parent.name for parent in family.parents)
            table = TableCPD(family.child.name, parents, rows.reshape(family.shape))
            self.tables[family.child.name] = table

    def distributions(
        self, family: Family, values: FloatArray, line_of: Callable[[int], int] | None = None
    ) -> FloatArray | None:
        """Check rows of probabilities, shape (rows, S), and return them with sums of 1.

        None, with faults, when they are none; parameters are those of `define`.
        """
        sums, least = values.sum(axis=1), values.min(initial=0.0)
        values = unit_rows(values, normalise=self.normalise)
        with np.errstate(invalid="ignore"):
            negative = values.min(axis=1) < 0
            wrong = np.flatnonzero(negative | ~(np.abs(values.sum(axis=1) - 1.0) <= EXACT))
        for row in wrong[:FAULTS_A_TABLE].tolist():
            name, labels = family.child.name, family.labels(row)
            what = f"probability of {name}" + (f", row ({labels})" if labels else "")
            line = family.line if line_of is None else line_of(row)
            if negative[row] or not np.isfinite(values[row]).all():
                shown = Phrase(", ".join(f"{value:.6g}" for value in values[row, :6]))
                near = not self.normalise and -TOLERANCE <= values[row].min() < 0
                clip = " (--normalise, normalise=True take these for 0)" if near else ""
                self.fault(line, what, f"probabilities in [0, 1]{clip}", shown)
            else:
                scale = "" if self.normalise else " (--normalise, normalise=True scale rows)"
                self.fault(line, what, f"a sum of 1{scale}", Phrase(f"{sums[row]:.8g}"))
        if len(wrong) > FAULTS_A_TABLE:
            more = Phrase(f"{len(wrong)} that do not")
            what = f"probability of {family.child.name}"
            self.fault(family.line, what, "rows of probabilities that sum to 1", more)
        if len(wrong):
            return None
        off = np.abs(sums - 1.0)
        if off.max() > TOLERANCE + EXACT:
            self._inexact[family.child.name] = float(sums[off.argmax()])
        if least < -EXACT:
            self._clipped[family.child.name] = float(least)
        return values

    def near(self, name: str, names: Iterable[str] | None = None) -> tuple[str, ...]:
        """Find declared names, or some of `names`, that resemble one; of very long ones none."""
        if len(name) > LONGEST_COMPARED:
            return ()
        several = list(self.variables if names is None else names)[:MOST_COMPARED]
        return nearest_names(name, (one for one in several if len(one) <= LONGEST_COMPARED))

    def network(self) -> Network:
        """Finish.

        Raises
        ------
        InvalidNetwork
            With all faults.

        Warns
        -----
        InexactNetworkWarning
            If rows were divided by sums that rounding does not explain, or negative numbers taken
            for 0.
        """
        if not self.variables and not self.faults:
            self.fault(0, "", "one variable or more", NOTHING)
        for name in self.variables:
            if name not in self._tabled:
                self.fault(0, f"variable {name}", "a table of probabilities", NOTHING)
        if self.faults:
            raise InvalidNetwork(self.faults)
        try:
            network = Network(self.variables.values(), self.tables.values())
        except InvalidNetwork as error:
            placed = (
                Fault(f"{self.source}: {one.place}", one.expected, one.got, one.nearest)
                for one in error.faults
            )
            raise InvalidNetwork(placed) from None
        changes = {
            "rows divided by their sums, which were not 1": self._inexact,
            "negative numbers taken for 0": self._clipped,
        }
        if told := [_told(what, numbers) for what, numbers in changes.items() if numbers]:
            remark = f"{self.source}: {'; '.join(told)}"
            warnings.warn(remark, InexactNetworkWarning, stacklevel=2)
        return network


def _told(what: str, numbers: dict[str, float]) -> str:
    shown = [f"{name} {number:.8g}" for name, number in list(numbers.items())[:5]]
    more = len(numbers) - len(shown)
    tail = f" and {more} variables more" if more else ""
    return f"{what}: {', '.join(shown)}{tail}"
