"""Conditional probability distributions of one discrete variable given its parents.

Four families are enough for a diagnosis network and all of them expand to a plain table:

``TableCPD``
    any distribution, one axis a parent, the child last;
``NoisyOrCPD``
    Pearl's noisy-OR with a leak, extended by *inhibitors*: parents that make the leak process
    less likely to fire (Pearl 1988, section 4.3.2; leak after Henrion 1989);
``NoisyMaxCPD``
    Diez's noisy-MAX for an ordinal child of binary parents (Diez 1993), given by exceedance
    strengths;
``AnyOfCPD``
    the deterministic OR, used for groups of causes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayesdx.errors import Fault, InvalidNetwork
from bayesdx.frozen import PlainParts

FloatArray = NDArray[np.float64]

#: A dense table with more cells than this is refused; noisy families never need one.
MAX_TABLE_CELLS = 1 << 24

#: A row of a table may miss the sum 1 by so much, as six printed digits do; it is divided by it.
TOLERANCE = 1e-6
#: A row that misses it by no more is left as it is: what was written is what is read back.
EXACT = 1e-9


def frozen_array(values: ArrayLike, place: str) -> FloatArray:
    """Return a read-only float64 copy of ``values``; what is no array of numbers is refused."""
    try:
        if np.iscomplexobj(values):
            # NumPy would only warn, and drop the imaginary part.
            raise TypeError
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidNetwork(Fault(place, "an array of numbers", values)) from None
    array.setflags(write=False)
    return array


def unit_rows(values: FloatArray, *, normalise: bool = False) -> FloatArray:
    """Divide rows by their sums where rounding explains that they miss 1.

    Parameters
    ----------
    values : array of float64, shape (..., S)
    normalise : bool
        Divide rows of any positive sum, and take entries down to ``-TOLERANCE`` of it for 0.

    Returns
    -------
    array of float64, shape (..., S)
        Rows that cannot be mended are returned as they are, for a check to find.
    """
    with np.errstate(invalid="ignore"):
        scale = np.abs(values.sum(axis=-1, keepdims=True)) if normalise else 1.0
        floor = -scale * (TOLERANCE if normalise else EXACT)
        values = np.where((values < 0.0) & (values >= floor), 0.0, values)
        sums = values.sum(axis=-1, keepdims=True)
        off = np.abs(sums - 1.0)
        change = (off > EXACT) | (values.max(axis=-1, keepdims=True) > 1.0)
        change &= (np.isfinite(sums) & (sums > 0.0)) if normalise else (off <= TOLERANCE + EXACT)
    return np.where(change, values / np.where(change, sums, 1.0), values)


def named_parents(child: str, parents: Sequence[str]) -> tuple[str, ...]:
    """Return parents as a tuple; a bare string is no sequence of names, a set has no order."""
    if not isinstance(child, str):
        raise InvalidNetwork(Fault("distribution", "the name of a variable", child))
    names = () if isinstance(parents, str | Set) or not isinstance(parents, Iterable) else parents
    found = tuple(names)
    if names is not parents or not all(isinstance(name, str) for name in found):
        raise InvalidNetwork(Fault(f"parents of {child}", "a tuple of names", parents))
    return found


class CPD(Protocol):
    """What every family offers: who it is about, its parents, its dense table."""

    @property
    def child(self) -> str:
        """Name of the variable the distribution is about."""
        ...

    @property
    def parents(self) -> tuple[str, ...]:
        """Names of the parents, in the order of the table's axes."""
        ...

    def table(self, parent_cards: Sequence[int], child_card: int) -> FloatArray:
        """Return the dense table, shape ``(*parent_cards, child_card)``."""
        ...

    def faults(self, parent_cards: Sequence[int], child_card: int) -> list[Fault]:
        """Return what is wrong with the numbers, given the variables' cardinalities."""
        ...


def _check_probabilities(place: str, values: FloatArray) -> list[Fault]:
    if not np.all(np.isfinite(values)) or np.any(values < 0) or np.any(values > 1):
        return [Fault(place, "probabilities in [0, 1]", values.tolist())]
    return []


def _check_shape(place: str, values: FloatArray, shape: tuple[int, ...]) -> list[Fault]:
    if values.shape != shape:
        return [Fault(place, f"an array of shape {shape}", f"shape {values.shape}")]
    return []


def _check_cells(cards: Sequence[int], child: str) -> None:
    cells = float(np.prod([float(card) for card in cards]))
    if cells > MAX_TABLE_CELLS:
        raise InvalidNetwork(
            [Fault(f"table of {child}", f"at most {MAX_TABLE_CELLS} cells", f"{cells:.3g} cells")]
        )


def _active_parents(parent_cards: Sequence[int]) -> NDArray[np.bool_]:
    """Every joint state of binary parents, shape (2**P, P), in C order."""
    n_states = int(np.prod(parent_cards, dtype=np.intp))
    states: NDArray[np.bool_] = (
        np.indices(tuple(parent_cards)).reshape(len(parent_cards), n_states).T == 1
    )
    return states


def _log_kept(strength: FloatArray) -> FloatArray:
    """log(1 - strength); summed, it keeps the digits of small strengths that products lose."""
    with np.errstate(divide="ignore"):
        result: FloatArray = np.log1p(-strength)
    return result


@dataclass(frozen=True, eq=False)
class TableCPD(PlainParts):
    """A dense conditional probability table.

    Parameters
    ----------
    child : str
        Name of the variable.
    parents : tuple of str
        Names of its parents.
    values : array of float64, shape (S_parent1, …, S_parentP, S_child)
        Probabilities; the last axis sums to 1 within ``TOLERANCE`` and is divided by its sum where
        more than ``EXACT`` is missing.
    """

    child: str
    parents: tuple[str, ...]
    values: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "parents", named_parents(self.child, self.parents))
        values = frozen_array(self.values, f"table of {self.child}")
        if values.size:
            values = unit_rows(values)
            values.setflags(write=False)
        object.__setattr__(self, "values", values)

    def table(
        self,
        parent_cards: Sequence[int],  # noqa: ARG002 - the interface of all families
        child_card: int,  # noqa: ARG002
    ) -> FloatArray:
        """Return ``values`` itself."""
        return self.values

    def faults(self, parent_cards: Sequence[int], child_card: int) -> list[Fault]:
        """Shape, range and normalisation."""
        place = f"table of {self.child}"
        faults = _check_shape(place, self.values, (*parent_cards, child_card))
        faults = faults or _check_probabilities(place, self.values)
        if not faults and np.any(np.abs(self.values.sum(axis=-1) - 1.0) > EXACT):
            expected = "rows that sum to 1 (normalise=True of Network divides them by their sums)"
            faults = [Fault(place, expected, self.values.sum(axis=-1).tolist())]
        return faults


class Mechanism(NamedTuple):
    """A noisy family in the one form that all of them have: a noisy-MAX whose leak can be lowered.

    Attributes
    ----------
    parents : tuple of str
        P binary parents.
    exceed : array (P, S - 1)
        P(child above each level but the highest | this parent alone active), without the leak.
    leak : array (S - 1,)
        The same with no parent active.
    factor : array (P,)
        What an active parent leaves of the leak, below 1 for inhibitors.
    """

    parents: tuple[str, ...]
    exceed: FloatArray
    leak: FloatArray
    factor: FloatArray

    def table(self, parent_cards: Sequence[int]) -> FloatArray:
        """Return the dense table, parents first."""
        states = _active_parents(parent_cards)
        left = np.prod(np.where(states, self.factor, 1.0), axis=1)
        acting = np.where(states[:, :, None], self.exceed[None], 0.0)
        log_below = _log_kept(left[:, None] * self.leak) + _log_kept(acting).sum(axis=1)
        exceed = -np.expm1(log_below)
        above = np.concatenate([exceed, np.zeros((len(exceed), 1))], axis=1)
        table = np.concatenate([np.exp(log_below[:, :1]), above[:, :-1] - above[:, 1:]], axis=1)
        return table.reshape(*parent_cards, table.shape[1])


@dataclass(frozen=True, eq=False)
class NoisyOrCPD(PlainParts):
    """Noisy-OR with leak and leak inhibitors, for a binary child of binary parents.

    With A the active activators and I the active inhibitors,
    ``P(child present) = 1 - (1 - leak * prod_I h_i) * prod_A (1 - z_a)``.
    An inhibitor lowers the background process only: it never undoes another cause's effect.
    A parent may not be activator and inhibitor of the same child.

    Parameters
    ----------
    child : str
        Name of the binary variable.
    activators : tuple of str
        Parents that can produce the finding.
    strengths : array of float64, shape (A,)
        Link strengths z in [0, 1].
    leak : float
        P(present | every parent inactive), in [0, 1].
    inhibitors : tuple of str
        Parents that make the leak less likely.
    factors : array of float64, shape (I,)
        Factors h in [0, 1] by which an active inhibitor multiplies the leak.
    """

    child: str
    activators: tuple[str, ...]
    strengths: FloatArray
    leak: float
    inhibitors: tuple[str, ...] = ()
    factors: FloatArray = ()  # type: ignore[assignment]  # made an array just below

    def __post_init__(self) -> None:
        object.__setattr__(self, "activators", named_parents(self.child, self.activators))
        object.__setattr__(self, "inhibitors", named_parents(self.child, self.inhibitors))
        place = f"noisy-OR of {self.child}"
        strengths = frozen_array(self.strengths, f"{place}, strengths")
        object.__setattr__(self, "strengths", strengths)
        object.__setattr__(self, "factors", frozen_array(self.factors, f"{place}, factors"))
        leak = frozen_array([self.leak], f"{place}, leak")
        object.__setattr__(self, "leak", float(leak[0]))

    @property
    def parents(self) -> tuple[str, ...]:
        """Activators, then inhibitors."""
        return self.activators + self.inhibitors

    @property
    def mechanism(self) -> Mechanism:
        """The family as a mechanism."""
        strengths = np.concatenate([self.strengths, np.zeros(len(self.inhibitors))])
        factors = np.concatenate([np.ones(len(self.activators)), self.factors])
        return Mechanism(self.parents, strengths[:, None], np.array([self.leak]), factors)

    def table(self, parent_cards: Sequence[int], child_card: int) -> FloatArray:
        """Return the dense table; refused above ``MAX_TABLE_CELLS`` cells."""
        _check_cells((*parent_cards, child_card), self.child)
        return self.mechanism.table(parent_cards)

    def faults(self, parent_cards: Sequence[int], child_card: int) -> list[Fault]:
        """Lengths, ranges, binary variables, no parent in both roles."""
        place = f"noisy-OR of {self.child}"
        faults = _check_shape(f"{place}, strengths", self.strengths, (len(self.activators),))
        faults += _check_shape(f"{place}, factors", self.factors, (len(self.inhibitors),))
        faults += _check_probabilities(f"{place}, strengths", self.strengths)
        faults += _check_probabilities(f"{place}, factors", self.factors)
        faults += _check_probabilities(f"{place}, leak", np.array([self.leak]))
        if child_card != 2 or any(card != 2 for card in parent_cards):
            faults.append(Fault(place, "binary variables", (child_card, *parent_cards)))
        return faults


@dataclass(frozen=True, eq=False)
class NoisyMaxCPD(PlainParts):
    """Noisy-MAX of an ordinal child with S states given binary parents.

    ``P(child >= level s) = 1 - (1 - leak[s-1]) * prod_active (1 - strengths[p, s-1])``
    for s = 1 … S-1; levels are the child's states in order, lowest first.

    Parameters
    ----------
    child : str
        Name of the ordinal variable.
    parents : tuple of str
        Binary parents.
    strengths : array of float64, shape (P, S - 1)
        Exceedance strengths, not increasing along a row.
    leak : array of float64, shape (S - 1,)
        Exceedance of the leak, not increasing.
    """

    child: str
    parents: tuple[str, ...]
    strengths: FloatArray
    leak: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "parents", named_parents(self.child, self.parents))
        place = f"noisy-MAX of {self.child}"
        strengths = frozen_array(self.strengths, f"{place}, strengths")
        object.__setattr__(self, "strengths", strengths)
        object.__setattr__(self, "leak", frozen_array(self.leak, f"{place}, leak"))

    @property
    def mechanism(self) -> Mechanism:
        """The family as a mechanism."""
        return Mechanism(self.parents, self.strengths, self.leak, np.ones(len(self.parents)))

    def table(self, parent_cards: Sequence[int], child_card: int) -> FloatArray:
        """Return the dense table; refused above ``MAX_TABLE_CELLS`` cells."""
        _check_cells((*parent_cards, child_card), self.child)
        return self.mechanism.table(parent_cards)

    def faults(self, parent_cards: Sequence[int], child_card: int) -> list[Fault]:
        """Lengths, ranges, monotone exceedances, binary parents."""
        place = f"noisy-MAX of {self.child}"
        shape = (len(self.parents), child_card - 1)
        faults = _check_shape(f"{place}, strengths", self.strengths, shape)
        faults += _check_shape(f"{place}, leak", self.leak, (child_card - 1,))
        if faults:
            return faults
        faults += _check_probabilities(f"{place}, strengths", self.strengths)
        faults += _check_probabilities(f"{place}, leak", self.leak)
        if np.any(np.diff(self.strengths, axis=1) > 0) or np.any(np.diff(self.leak) > 0):
            faults.append(Fault(place, "exceedances that do not increase with the level", "rising"))
        if any(card != 2 for card in parent_cards):
            faults.append(Fault(place, "binary parents", tuple(parent_cards)))
        return faults


@dataclass(frozen=True, eq=False)
class AnyOfCPD(PlainParts):
    """Deterministic OR: the child is present exactly when any parent is.

    Parameters
    ----------
    child : str
        Name of the binary variable (a group of causes).
    parents : tuple of str
        Its members.
    """

    child: str
    parents: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parents", named_parents(self.child, self.parents))

    @property
    def mechanism(self) -> Mechanism:
        """The family as a mechanism: every link is certain, and nothing leaks."""
        count = len(self.parents)
        return Mechanism(self.parents, np.ones((count, 1)), np.zeros(1), np.ones(count))

    def table(self, parent_cards: Sequence[int], child_card: int) -> FloatArray:
        """Return the dense 0/1 table; refused above ``MAX_TABLE_CELLS`` cells."""
        _check_cells((*parent_cards, child_card), self.child)
        return self.mechanism.table(parent_cards)

    def faults(self, parent_cards: Sequence[int], child_card: int) -> list[Fault]:
        """At least one member; binary variables."""
        place = f"any-of {self.child}"
        if not self.parents:
            return [Fault(place, "one or more members", self.parents)]
        if child_card != 2 or any(card != 2 for card in parent_cards):
            return [Fault(place, "binary variables", (child_card, *parent_cards))]
        return []


#: Families that are a `Mechanism`.
NoisyCPD = NoisyOrCPD | NoisyMaxCPD | AnyOfCPD
