"""Names that a file cannot hold, made such that it can, and the way back."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

from bayesdx.errors import Fault, InvalidNetwork, Phrase, unknown_names
from bayesdx.frozen import FrozenDict, ReadOnly
from bayesdx.network.cpds import CPD, NoisyOrCPD
from bayesdx.network.network import Network
from bayesdx.network.variables import Variable

#: Whether a name can be written as it is.
Fits = Callable[[str], bool]

#: What is said in words where signs cannot be held; the longer ones first.
_SIGNS = (("<=", "le_"), (">=", "ge_"), ("<", "lt_"), (">", "gt_"), ("+", "plus_"), ("%", "_pct"))
_OTHER = re.compile(r"[^A-Za-z0-9_]+")


@dataclass(frozen=True)
class Renaming(ReadOnly):
    """New names of some variables and states.

    Attributes
    ----------
    variables : mapping of str to str
        Name of a variable to its new one; only those that change.
    states : mapping of str to mapping of str to str
        For a variable, by its name before, each state that changes to its new name.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    states: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        states = {name: FrozenDict(one) for name, one in self.states.items()}
        vars(self).update(variables=FrozenDict(self.variables), states=FrozenDict(states))

    def __bool__(self) -> bool:
        return bool(self.variables or self.states)

    def apply(self, network: Network, *, labels: bool = True) -> Network:
        """Return a network with the new names.

        Parameters
        ----------
        network : Network
        labels : bool
            Whether old names become labels of variables that have none.

        Returns
        -------
        Network

        Raises
        ------
        InvalidNetwork
            If a variable or state that is to be renamed is not there, or names repeat.

        Examples
        --------
        >>> from bayesdx import Network, TableCPD, Variable
        >>> from bayesdx.formats import Renaming
        >>> rain = Network([Variable("rain", ("no", "yes"))], [TableCPD("rain", (), [0.8, 0.2])])
        >>> list(Renaming({"rain": "wet"}).apply(rain).variables)
        ['wet']
        """
        faults = unknown_names(
            "names", "a variable of the network", (*self.variables, *self.states), network.variables
        )
        for name in network.variables.keys() & self.states:
            known = network.variables[name].states
            faults += unknown_names(
                "names", f"a state of {name} of the network", self.states[name], known
            )
        if faults:
            raise InvalidNetwork(faults)
        variables = [self._variable(one, labels) for one in network.variables.values()]
        return Network(variables, map(self._cpd, network.cpds.values()))

    def _variable(self, variable: Variable, labels: bool) -> Variable:
        new = self.variables.get(variable.name, variable.name)
        states = self.states.get(variable.name, {})
        label = variable.label or (variable.name if labels else "")
        named = tuple(states.get(one, one) for one in variable.states)
        return Variable(new, named, "" if label == new else label)

    def _cpd(self, cpd: CPD) -> CPD:
        def new(names: Iterable[str]) -> tuple[str, ...]:
            return tuple(self.variables.get(one, one) for one in names)

        (child,) = new([cpd.child])
        if isinstance(cpd, NoisyOrCPD):
            activators, inhibitors = new(cpd.activators), new(cpd.inhibitors)
            return replace(cpd, child=child, activators=activators, inhibitors=inhibitors)
        # Of the other families parents are a field.
        return replace(cpd, child=child, parents=new(cpd.parents))  # type: ignore[type-var]

    def reversed(self) -> Renaming:
        """Return the way back.

        Returns
        -------
        Renaming

        Examples
        --------
        >>> from bayesdx.formats import Renaming
        >>> Renaming({"a b": "a_b"}).reversed().variables
        {'a_b': 'a b'}
        """
        return Renaming(
            {new: old for old, new in self.variables.items()},
            {
                self.variables.get(name, name): {new: old for old, new in states.items()}
                for name, states in self.states.items()
            },
        )

    def to_json(self) -> str:
        """Return the renaming as text that `from_json` reads.

        Returns
        -------
        str

        Examples
        --------
        >>> from bayesdx.formats import Renaming
        >>> names = Renaming({"V1": "low back pain"}, {"V1": {"s1": "not known"}})
        >>> Renaming.from_json(names.to_json()) == names
        True
        """
        return json.dumps(self.to_dict(), indent=1) + "\n"

    def to_dict(self) -> dict[str, Any]:
        """Return the renaming as dicts.

        Returns
        -------
        dict
            ``variables`` and ``states``.

        Examples
        --------
        >>> from bayesdx.formats import Renaming
        >>> Renaming({"V1": "low back pain"}).to_dict()
        {'variables': {'V1': 'low back pain'}, 'states': {}}
        """
        states = {name: dict(states) for name, states in self.states.items()}
        return {"variables": dict(self.variables), "states": states}

    @staticmethod
    def from_json(text: str, source: str = "names") -> Renaming:
        """Read a renaming.

        Parameters
        ----------
        text : str
        source : str
            The name of the file, for messages.

        Returns
        -------
        Renaming

        Raises
        ------
        InvalidNetwork
            If it is none.
        """
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as reason:
            raise InvalidNetwork(Fault(source, "JSON", Phrase(str(reason)[:80]))) from None
        variables = content.get("variables") if isinstance(content, dict) else None
        states = content.get("states") if isinstance(content, dict) else None
        if _named(variables) and isinstance(states, dict) and all(map(_named, states.values())):
            return Renaming(variables, states)
        expected = "an object with variables and states, names to names"
        raise InvalidNetwork(Fault(source, expected, Phrase("something else")))


def fitting_names(network: Network, name_fits: Fits, state_fits: Fits) -> Renaming:
    """Find a name that fits for each that does not.

    Parameters
    ----------
    network : Network
    name_fits, state_fits : callable
        Whether a name of a variable, or of a state, can be written.

    Returns
    -------
    Renaming
        Signs become words (``<5`` is ``lt_5``), accents go, other characters become underscores,
        numbers make names differ. What fits keeps its name.
    """
    names = _chosen(network.variables, name_fits, "v")
    states = {
        name: _chosen(variable.states, state_fits, "s")
        for name, variable in network.variables.items()
    }
    return Renaming(names, {name: chosen for name, chosen in states.items() if chosen})


def numbered_names(network: Network) -> Renaming:
    """Return the names that a UAI file has when it is read, from those of the network."""
    states = {
        name: {state: f"s{at}" for at, state in enumerate(variable.states)}
        for name, variable in network.variables.items()
    }
    return Renaming({name: f"v{at}" for at, name in enumerate(network.variables)}, states)


def _chosen(names: Collection[str], fits: Fits, first: str) -> dict[str, str]:
    taken = {name for name in names if fits(name)}
    chosen: dict[str, str] = {}
    for name in names:
        if name in taken:
            continue
        wanted = _candidate(name, fits, first)
        new, number = wanted, 1
        while new in taken:
            number += 1
            new = f"{wanted}_{number}"
        taken.add(new)
        chosen[name] = new
    return chosen


def _candidate(name: str, fits: Fits, first: str) -> str:
    printed = "".join(one if one.isprintable() else " " for one in name)
    printed = printed.replace('"', "'").strip()
    if printed and fits(printed):
        return printed
    for sign, word in _SIGNS:
        printed = printed.replace(sign, word)
    plain = unicodedata.normalize("NFKD", printed).encode("ascii", "ignore").decode()
    word = _OTHER.sub("_", plain).strip("_") or "x"
    return word if word[0].isalpha() else f"{first}_{word}"


def _named(value: object) -> TypeGuard[dict[str, str]]:
    """Whether it is names to names, as JSON has them."""
    return isinstance(value, dict) and all(isinstance(one, str) and one for one in value.values())
