"""Markov networks: a product of non-negative functions, which need not be probabilities."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bayesdx.errors import Fault, InvalidNetwork, unknown_names
from bayesdx.frozen import FrozenDict, PlainParts, ReadOnly
from bayesdx.network.cpds import (
    CPD,
    MAX_TABLE_CELLS,
    FloatArray,
    TableCPD,
    frozen_array,
    named_parents,
)
from bayesdx.network.network import Network
from bayesdx.network.variables import Variable

#: Of the auxiliary variable of a function.
_SEEN = ("no", "yes")


@dataclass(frozen=True, eq=False)
class MarkovFactor(PlainParts):
    """A non-negative function of some variables.

    Parameters
    ----------
    scope : tuple of str
        Distinct variables, one an axis; none for a constant.
    values : array of float64, shape (S_1, …, S_K)
        Finite and at least 0.
    """

    scope: tuple[str, ...]
    values: FloatArray

    def __init__(self, scope: Sequence[str], values: ArrayLike) -> None:
        object.__setattr__(self, "scope", named_parents("a function", scope))
        object.__setattr__(
            self, "values", frozen_array(values, f"function of {', '.join(self.scope)}")
        )


@dataclass(frozen=True, eq=False)
class MarkovNetwork(PlainParts, ReadOnly):
    """A discrete Markov network: P(x) is the product of its functions divided by their sum Z.

    Parameters
    ----------
    variables : iterable of Variable
        In any order; names are unique.
    factors : iterable of MarkovFactor
        In any number; several may have the same scope.

    Raises
    ------
    InvalidNetwork
        With every fault at once: repeated or unknown names, wrong shapes, numbers that are negative
        or not finite, functions of more than 8,388,608 cells.
    """

    variables: Mapping[str, Variable]
    factors: tuple[MarkovFactor, ...]

    def __init__(self, variables: Iterable[Variable], factors: Iterable[MarkovFactor]) -> None:
        given = list(variables)
        named = {variable.name: variable for variable in given}
        times = Counter(variable.name for variable in given)
        faults = [
            Fault(f"variable {name}", "a unique name", f"{count} of them")
            for name, count in times.items()
            if count > 1
        ]
        if not given:
            faults.append(Fault("variables", "one variable or more", "none"))
        several = tuple(factors)
        for number, factor in enumerate(several):
            faults += _factor_faults(f"function {number}", factor, named)
        if faults:
            raise InvalidNetwork(faults)
        object.__setattr__(self, "variables", FrozenDict(named))
        object.__setattr__(self, "factors", several)

    def _described(self) -> dict[str, object]:
        return {"variables": list(self.variables.values()), "factors": self.factors}

    def __repr__(self) -> str:
        return f"MarkovNetwork({len(self.variables)} variables, {len(self.factors)} functions)"


@dataclass(frozen=True, eq=False)
class ObservedFactors:
    """A Markov network as a Bayesian one, in which what stands for the functions is observed.

    Attributes
    ----------
    network : Network
        The variables, each with equal probabilities, then one variable for each function, of which
        they are the parents: its P(yes | x) is the function divided by its largest value.
    log_scale : float
        log Z = log P(all functions yes) + log_scale.
    """

    network: Network
    log_scale: float


def observed_factors(markov: MarkovNetwork) -> ObservedFactors:
    """Write a Markov network as a Bayesian one (Pearl 1988, virtual evidence)."""
    variables = list(markov.variables.values())
    cpds: list[CPD] = []
    log_scale = 0.0
    for variable in variables:
        size = variable.cardinality
        cpds.append(TableCPD(variable.name, (), np.full(size, 1.0 / size)))
        log_scale += math.log(size)
    prefix = "function"
    while any(name.startswith(prefix) for name in markov.variables):
        prefix += "_"
    for number, factor in enumerate(markov.factors):
        most = float(factor.values.max())
        log_scale += math.log(most) if most > 0.0 else 0.0
        seen = factor.values / most if most > 0.0 else factor.values
        name = f"{prefix}{number}"
        variables.append(Variable(name, _SEEN))
        cpds.append(TableCPD(name, factor.scope, np.stack([1.0 - seen, seen], axis=-1)))
    return ObservedFactors(Network(variables, cpds), log_scale)


def _factor_faults(place: str, factor: MarkovFactor, named: Mapping[str, Variable]) -> list[Fault]:
    faults = unknown_names(place, "a declared variable", factor.scope, named)
    if len(set(factor.scope)) < len(factor.scope):
        faults.append(Fault(place, "distinct variables", factor.scope))
    if faults:
        return faults
    shape = tuple(named[name].cardinality for name in factor.scope)
    if factor.values.shape != shape:
        return [Fault(place, f"an array of shape {shape}", f"shape {factor.values.shape}")]
    # Beside each value stands what it misses of the largest one.
    if factor.values.size > MAX_TABLE_CELLS // 2:
        return [Fault(place, f"at most {MAX_TABLE_CELLS // 2} cells", factor.values.size)]
    if not (np.isfinite(factor.values).all() and (factor.values >= 0.0).all()):
        return [Fault(place, "finite numbers of at least 0", factor.values.ravel()[:6].tolist())]
    return []
