"""The network: variables and their distributions, validated and named by a digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from numbers import Integral

import numpy as np

from bayesdx.errors import Fault, InvalidCase, InvalidNetwork, nearest_names, unknown_names
from bayesdx.frozen import FrozenDict, PlainParts, ReadOnly
from bayesdx.network.cpds import CPD, FloatArray, NoisyMaxCPD, NoisyOrCPD, TableCPD, unit_rows
from bayesdx.network.separation import Relevance, relevance
from bayesdx.network.variables import Variable


@dataclass(frozen=True, eq=False)
class Network(PlainParts, ReadOnly):
    """A discrete Bayesian network.

    Parameters
    ----------
    variables : iterable of Variable
        In any order; names are unique.
    cpds : iterable of CPD
        Exactly one a variable.
    normalise : bool
        Divide rows of dense tables by their sums, whatever these are, and take negative entries
        down to -1e-6 for 0. Without it a row may miss the sum 1 by 1e-6.

    Raises
    ------
    InvalidNetwork
        With every fault at once: repeated or missing names, wrong shapes, probabilities out of
        range, rows that do not sum to 1, cycles.
    """

    variables: Mapping[str, Variable]
    cpds: Mapping[str, CPD]
    order: tuple[str, ...] = field(default=())

    def __init__(
        self, variables: Iterable[Variable], cpds: Iterable[CPD], *, normalise: bool = False
    ) -> None:
        _several("variables", "values of Variable", variables)
        _several("cpds", "distributions, one a variable", cpds)
        named, faults = _index(variables)
        given: dict[str, CPD] = {}
        for cpd in cpds:
            one: object = cpd
            if not isinstance(getattr(one, "child", None), str):
                faults.append(Fault("cpds", "distributions, one a variable", one))
                continue
            if normalise and isinstance(cpd, TableCPD):
                rows = unit_rows(cpd.values, normalise=True)
                cpd = TableCPD(cpd.child, cpd.parents, rows)
            if cpd.child in given:
                faults.append(Fault(f"variable {cpd.child}", "one distribution", "a second one"))
            given[cpd.child] = cpd
        faults += _match_faults(named, given)
        if not faults:
            for cpd in given.values():
                cards = [named[parent].cardinality for parent in cpd.parents]
                faults += cpd.faults(cards, named[cpd.child].cardinality)
        order = _topological_order(given, faults) if not faults else ()
        if faults:
            raise InvalidNetwork(faults)
        object.__setattr__(self, "variables", FrozenDict(named))
        object.__setattr__(self, "cpds", FrozenDict(given))
        object.__setattr__(self, "order", order)

    def parents(self, name: str) -> tuple[str, ...]:
        """Return the names of the parents of a variable.

        Parameters
        ----------
        name : str

        Returns
        -------
        tuple of str
            In the order of the axes of its table.

        Examples
        --------
        >>> from bayesdx import Network, TableCPD, Variable
        >>> rain = Network([Variable("rain", ("no", "yes"))], [TableCPD("rain", (), [0.8, 0.2])])
        >>> rain.parents("rain")
        ()
        """
        return self._cpd(name).parents

    def table(self, name: str) -> FloatArray:
        """Return the dense table of a variable.

        Parameters
        ----------
        name : str

        Returns
        -------
        float64 array (parents..., child)

        Raises
        ------
        InvalidNetwork
            When it has too many cells.

        Examples
        --------
        >>> from bayesdx import Network, TableCPD, Variable
        >>> rain = Network([Variable("rain", ("no", "yes"))], [TableCPD("rain", (), [0.8, 0.2])])
        >>> rain.table("rain").tolist()
        [0.8, 0.2]
        """
        cpd = self._cpd(name)
        cards = [self.variables[parent].cardinality for parent in cpd.parents]
        return cpd.table(cards, self.variables[name].cardinality)

    def _cpd(self, name: str) -> CPD:
        if faults := unknown_names("name", "a variable of the network", [name], self.cpds):
            raise InvalidNetwork(faults)
        return self.cpds[name]

    def relevant(self, targets: Iterable[str], observed: Iterable[str] = ()) -> Relevance:
        """Find what the posterior of some variables depends on, by the arrows alone.

        Parameters
        ----------
        targets : iterable of str
        observed : iterable of str
            Variables that are known.

        Returns
        -------
        Relevance

        Raises
        ------
        InvalidCase
            With every name that is no variable.

        Examples
        --------
        >>> from bayesdx import Network, TableCPD, Variable
        >>> tables = [TableCPD("a", (), [0.8, 0.2]), TableCPD("b", ("a",), [[1, 0], [0, 1]])]
        >>> chain = Network([Variable("a"), Variable("b")], tables)
        >>> chain.relevant(["a"], ["b"]).evidence
        ('b',)
        """
        faults: list[Fault] = []
        asked = self._asked("targets", targets, faults)
        known = self._asked("observed", observed, faults)
        if faults:
            raise InvalidCase(faults)
        return relevance({name: self.parents(name) for name in self.variables}, asked, known)

    def d_separated(
        self, first: Iterable[str], second: Iterable[str], given: Iterable[str] = ()
    ) -> bool:
        """Tell whether the arrows make two sets of variables independent given a third.

        Parameters
        ----------
        first, second : iterable of str
        given : iterable of str

        Returns
        -------
        bool

        Raises
        ------
        InvalidCase
            With every name that is no variable.

        Examples
        --------
        >>> from bayesdx import Network, TableCPD, Variable
        >>> tables = [TableCPD("a", (), [0.8, 0.2]), TableCPD("b", ("a",), [[1, 0], [0, 1]])]
        >>> Network([Variable("a"), Variable("b")], tables).d_separated(["a"], ["b"])
        False
        """
        faults: list[Fault] = []
        others = self._asked("second", second, faults)
        known = self._asked("given", given, faults)
        if faults:
            raise InvalidCase(faults)
        found = self.relevant(first, known)
        return not (set(others) - set(known)) & {*found.dependent, *found.targets}

    def do(self, interventions: Mapping[str, str]) -> Network:
        """Return the network after interventions: variables are set, whatever their parents do.

        Posteriors of the result are P(… | do(interventions), evidence) where the arrows are causal
        (Pearl 2009): seeing is `CompiledNetwork.query`, doing is this.

        Parameters
        ----------
        interventions : mapping of str to str
            Variable to the state that it is set to.

        Returns
        -------
        Network
            Those variables without parents and with one certain state.

        Raises
        ------
        InvalidCase
            With every name that is no variable or no state of it.

        Examples
        --------
        >>> from bayesdx import Network, TableCPD, Variable
        >>> tables = [TableCPD("a", (), [0.8, 0.2]), TableCPD("b", ("a",), [[1, 0], [0, 1]])]
        >>> chain = Network([Variable("a"), Variable("b")], tables)
        >>> chain.do({"b": "present"}).parents("b")
        ()
        """
        handed: object = interventions
        if not isinstance(handed, Mapping):
            raise InvalidCase(Fault("do", "a mapping of variables to states", handed))
        faults: list[Fault] = []
        self._asked("do", interventions, faults)
        for name in interventions.keys() & self.variables.keys():
            states, state = self.variables[name].states, interventions[name]
            if state not in states:
                expected = f"a state of {name} ({', '.join(states[:6])})"
                faults.append(Fault("do", expected, state, nearest_names(str(state), states)))
        if faults:
            raise InvalidCase(faults)
        cpds = dict(self.cpds)
        for name, state in interventions.items():
            certain = [float(one == state) for one in self.variables[name].states]
            cpds[name] = TableCPD(name, (), np.array(certain))
        return Network(self.variables.values(), cpds.values())

    def _asked(self, place: str, names: object, faults: list[Fault]) -> tuple[str, ...]:
        """Names that are asked for; a single text is one name, not its letters."""
        names = (names,) if isinstance(names, str) else names
        if not isinstance(names, Iterable):
            faults.append(Fault(place, "names of variables", names))
            return ()
        # Names are texts; that of a column may be a whole number to pandas.
        asked = tuple(str(name) if isinstance(name, Integral) else name for name in names)
        faults += [
            Fault(
                place, "a variable of the network", name, nearest_names(str(name), self.variables)
            )
            for name in asked
            if not (isinstance(name, str) and name in self.variables)
        ]
        return asked

    @cached_property
    def digest(self) -> str:
        """SHA-256 over names, states, parents and numbers; equal networks have equal digests."""
        hasher = hashlib.sha256()
        for name in sorted(self.variables):
            cpd = self.cpds[name]
            text = (type(cpd).__name__, name, self.variables[name].states, cpd.parents)
            hasher.update(repr(text).encode())
            for numbers in _numbers(cpd):
                hasher.update(np.ascontiguousarray(numbers, dtype="<f8").tobytes())
        return hasher.hexdigest()

    def _described(self) -> dict[str, object]:
        cpds = [self.cpds[name] for name in self.variables]
        return {
            "variables": list(self.variables.values()), "cpds": cpds, "digest": self.digest
        }  # fmt: skip

    def __repr__(self) -> str:
        links = sum(len(cpd.parents) for cpd in self.cpds.values())
        return f"Network({len(self.variables)} variables, {links} links, {self.digest[:12]})"


def _several(place: str, expected: str, given: object) -> None:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidNetwork(Fault(place, expected, given))


def _index(variables: Iterable[Variable]) -> tuple[dict[str, Variable], list[Fault]]:
    named: dict[str, Variable] = {}
    faults: list[Fault] = []
    for variable in variables:
        given: object = variable
        if not isinstance(given, Variable):
            faults.append(Fault("variables", "values of Variable", given))
            continue
        if variable.name in named:
            faults.append(Fault(f"variable {variable.name}", "a unique name", "a second one"))
        named[variable.name] = variable
    return named, faults


def _match_faults(named: Mapping[str, Variable], given: Mapping[str, CPD]) -> list[Fault]:
    faults = [
        Fault(f"variable {name}", "a distribution", "none") for name in named if name not in given
    ]
    for name, cpd in given.items():
        if name not in named:
            near = nearest_names(name, named)
            faults.append(Fault(f"distribution of {name}", "a declared variable", name, near))
        for parent in cpd.parents:
            if parent not in named:
                near = nearest_names(parent, named)
                faults.append(Fault(f"parents of {name}", "a declared variable", parent, near))
        if len(set(cpd.parents)) != len(cpd.parents):
            faults.append(Fault(f"parents of {name}", "distinct parents", cpd.parents))
    return faults


def _topological_order(given: Mapping[str, CPD], faults: list[Fault]) -> tuple[str, ...]:
    sorter = TopologicalSorter({name: cpd.parents for name, cpd in given.items()})
    try:
        return tuple(sorter.static_order())
    except CycleError as error:
        faults.append(Fault("network", "no directed cycle", " -> ".join(error.args[1])))
        return ()


def _numbers(cpd: CPD) -> list[FloatArray]:
    if isinstance(cpd, TableCPD):
        return [cpd.values]
    if isinstance(cpd, NoisyOrCPD):
        return [cpd.strengths, np.array([cpd.leak]), cpd.factors, np.array([len(cpd.activators)])]
    if isinstance(cpd, NoisyMaxCPD):
        return [cpd.strengths, cpd.leak]
    return []
