"""The most probable explanations: a state for every variable, or for some with the rest summed out.

Small tables by elimination, wide noisy families by straight lines above them, and what does not fit
in memory by splitting it, all inside one branch and bound. The usual decomposition of a noisy-OR
does not serve where it is maximised: it sums over hidden parts, and the maximum of a sum is not the
sum of maxima.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.general.bounding import wide_families
from bayesdx.inference.general.branch_and_bound import BranchAndBound, SearchLimits
from bayesdx.inference.general.bucket_plan import BucketPlan, lay_out
from bayesdx.inference.general.factors import chain, is_wide, memory_refusal
from bayesdx.inference.general.grouping import distinct_rows
from bayesdx.inference.general.mini_buckets import LogTable
from bayesdx.inference.general.relaxation import Factored
from bayesdx.network.cpds import AnyOfCPD, NoisyCPD
from bayesdx.network.network import Network

#: Bytes that the rows answered together should not exceed; more only if one row needs it.
ROWS_BYTES = float(64 << 20)
#: Bytes that one branch may need where buckets are split: larger parts bound better, and longer.
SPLIT_BYTES = float(2 << 20)
#: Parents of a noisy family that is a table where it is known to be present.
WIDEST_PRESENT = 12

ONE = SearchLimits()


@dataclass(frozen=True, eq=False)
class MostProbable:
    """The k most probable assignments of N cases, the best first.

    Attributes
    ----------
    states : intp array (N, k, V)
        State positions; -1 everywhere where there is no further assignment with a probability
        above 0, and of variables that are summed out.
    log_probability : float64 array (N, k)
        Natural log of P(assignment), observed variables included, times the likelihoods of its
        states where evidence is soft; -inf where there is none.
    log_bound : float64 array (N, k)
        What the log probability of the best assignment of this rank does not exceed; equal to
        ``log_probability`` where that is proved, but for 1e-12 of it.
    """

    states: IntArray
    log_probability: FloatArray
    log_bound: FloatArray


def most_probable_states(
    network: Network,
    states: IntArray,
    memory_limit: float,
    likelihoods: Mapping[int, FloatArray] | None = None,
    targets: Collection[int] | None = None,
    limits: SearchLimits = ONE,
) -> MostProbable:
    """Find for every case the assignments that are most probable.

    Parameters
    ----------
    network : Network
    states : intp array (N, V)
        State positions in the order of ``network.variables``, -1 unknown.
    memory_limit : float
        Bytes that the tables, and the arrays of one case, may take.
    likelihoods : mapping of int to array (N, S), optional
        Soft evidence: at least 0, a row of NaN says nothing.
    targets : collection of int, optional
        Variables whose assignment is wanted; the others are summed out. All by default.
    limits : SearchLimits
        How many assignments, and what their search may take where no elimination fits.

    Returns
    -------
    MostProbable
        Of equally probable assignments always the same ones: in the order of elimination, read
        from its end, each variable takes the first of its states that are equally good given
        those already chosen. Assignments equal on paper may differ in the last digit of a sum.

    Raises
    ------
    InvalidNetwork
        If the tables exceed the memory limit, or if what is summed out does, with what they would
        need.
    """
    log_soft = {v: _log_likelihood(values) for v, values in (likelihoods or {}).items()}
    first, inverse = distinct_rows(states, log_soft)
    if first is not None:
        kept = {v: np.asarray(values)[first] for v, values in (likelihoods or {}).items()}
        once = most_probable_states(network, states[first], memory_limit, kept, targets, limits)
        logs = (one[inverse] for one in (once.log_probability, once.log_bound))
        return MostProbable(once.states[inverse], *logs)
    shape = (len(states), limits.k)
    found = np.full((*shape, states.shape[1]), -1, dtype=np.intp)
    value, bound = np.full(shape, -np.inf), np.full(shape, -np.inf)
    writer = _Writer(network, targets, log_soft.keys(), memory_limit)
    for question, rows in writer.questions(states):
        step = max(int(min(ROWS_BYTES, question.room) / max(question.row_bytes, 1.0)), 1)
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            soft = {v: values[:, part] for v, values in log_soft.items() if v in question.kept}
            found[part], value[part], bound[part] = question.answer(
                states[part], soft, step, limits
            )
    return MostProbable(found, value, bound)


@dataclass(frozen=True, eq=False)
class _AlikeRows:
    """What is asked about rows that observe the same variables."""

    factored: Factored
    plan: BucketPlan
    inside: BucketPlan | None
    kept: frozenset[int]
    room: float

    @property
    def row_bytes(self) -> float:
        """Bytes that a row needs."""
        return self.plan.row_bytes + (0.0 if self.inside is None else self.inside.row_bytes)

    def answer(
        self, states: IntArray, soft: dict[int, FloatArray], batch: int, limits: SearchLimits
    ) -> tuple[IntArray, FloatArray, FloatArray]:
        """States (n, k, V), log probabilities and bounds (n, k) of rows (n, V)."""
        named = states.shape[1]
        whole = np.full((len(states), len(self.factored.cards)), -1, dtype=np.intp)
        whole[:, :named] = states
        search = BranchAndBound(
            self.factored, self.plan, self.inside, whole, soft, batch // 2, limits
        )
        found = search.run()
        # Once more in one order of adding, so that equal assignments have equal numbers.
        flat = found.states.reshape(-1, whole.shape[1])
        repeated = {v: np.repeat(values, limits.k, axis=1) for v, values in soft.items()}
        value = self.factored.log_value(self.inside, flat, repeated).reshape(found.value.shape)
        none = np.isneginf(found.value)
        value[none] = -np.inf
        proved = found.bound <= found.value
        states = found.states[..., :named]
        states[none] = -1
        return states, value, np.where(proved, value, np.maximum(found.bound, value))


class _Writer:
    """Writes a network as what is to be maximised, summed and observed."""

    def __init__(
        self,
        network: Network,
        targets: Collection[int] | None,
        soft: Collection[int],
        memory_limit: float,
    ) -> None:
        self.network, self.targets, self.soft = network, targets, set(soft)
        self.memory_limit = memory_limit
        self.position = {name: i for i, name in enumerate(network.variables)}
        self.rank = {name: i for i, name in enumerate(network.order)}
        self.named = [variable.cardinality for variable in network.variables.values()]
        self.with_children = {p for cpd in network.cpds.values() for p in cpd.parents}
        self.logs: dict[str, LogTable] = {}
        self.parts: dict[tuple[frozenset[int], frozenset[int]], _Parts] = {}

    def questions(self, states: IntArray) -> Iterator[tuple[_AlikeRows, IntArray]]:
        """Yield what rows (N, V) ask that observe the same variables, and which rows these are."""
        for rows in _signatures(states >= 0):
            seen = frozenset(np.flatnonzero(states[rows[0]] >= 0).tolist())
            kept = self._relevant(seen)
            wanted = kept if self.targets is None else frozenset(self.targets)
            summed = kept - wanted - seen
            parts = self.parts.get((kept, summed))
            if parts is None:
                parts = self.parts[kept, summed] = _Parts(self, kept, summed)
            plan = lay_out(parts.scopes, parts.cards, *parts.free(seen))
            fits = parts.held + plan.row_bytes <= self.memory_limit
            if fits and not parts.bounded:
                yield self._question(parts, plan, seen), rows
                continue
            for some in _signatures(states[rows] > 0):
                present = frozenset(np.flatnonzero(states[rows[some[0]]] > 0).tolist())
                closer = _Parts(self, kept, summed, seen, present)
                yield self._chosen(parts, plan, closer, seen), rows[some]

    def _chosen(
        self, parts: _Parts, plan: BucketPlan, closer: _Parts, seen: frozenset[int]
    ) -> _AlikeRows:
        """Tables of what is present if they fit, else lines alone, else what is split."""
        free = closer.free(seen)
        close = lay_out(closer.scopes, closer.cards, *free)
        room = self.memory_limit - closer.held
        if close.row_bytes <= min(room, ROWS_BYTES):
            return self._question(closer, close, seen)
        if parts.held + plan.row_bytes <= self.memory_limit:
            return self._question(parts, plan, seen)
        if close.row_bytes > room:
            close = lay_out(closer.scopes, closer.cards, *free, min(SPLIT_BYTES, room))
        return self._question(closer, close, seen)

    def _question(self, parts: _Parts, plan: BucketPlan, seen: frozenset[int]) -> _AlikeRows:
        inside = None
        _, sums = parts.free(seen)
        if sums:
            inside = lay_out(parts.scopes, parts.cards, (), sums)
        needed = parts.held + plan.row_bytes + (0.0 if inside is None else inside.row_bytes)
        if needed > self.memory_limit:
            place = f"explanation of {len(self.named)} variables"
            largest = max(plan.largest, 0.0 if inside is None else inside.largest)
            raise memory_refusal(place, self.memory_limit, needed, f"largest bucket {largest:.3g}")
        return _AlikeRows(
            parts.factored(self), plan, inside, parts.kept, self.memory_limit - parts.held
        )

    def _relevant(self, seen: frozenset[int]) -> frozenset[int]:
        """Variables that are asked for or observed, and all that they depend on."""
        if self.targets is None:
            return frozenset(range(len(self.named)))
        kept = {*seen, *self.soft, *self.targets}
        for name in reversed(self.network.order):
            if self.position[name] in kept:
                kept.update(self.position[parent] for parent in self.network.parents(name))
        return frozenset(kept)


class _Parts:
    """Which families are tables, chains of tables, or bounded by lines.

    A wide deterministic OR has a chain that is exact for maxima too: there is no chance in it, one
    way through for every state of the parents. Where nothing depends on it a bound is cheaper. If
    it is known what is observed and ``present``, families of that are tables up to `WIDEST_PRESENT`
    parents, and lines are all others: of what is absent they are exact.
    """

    def __init__(
        self,
        writer: _Writer,
        kept: frozenset[int],
        summed: frozenset[int],
        seen: frozenset[int] = frozenset(),
        present: frozenset[int] | None = None,
    ) -> None:
        network, position = writer.network, writer.position
        self.kept, self.summed = kept, summed
        self.tables: list[str] = []
        self.bounded: list[NoisyCPD] = []
        self.chains: list[LogTable] = []
        self.scopes: list[tuple[int, ...]] = []
        hidden: set[int] = set()
        cards = list(writer.named)
        for name, at in position.items():
            if at not in kept:
                continue
            cpd = network.cpds[name]
            scope = tuple(position[one] for one in (*network.parents(name), name))
            summing = not summed.isdisjoint(scope)
            noisy = isinstance(cpd, NoisyCPD) and len(cpd.parents) > 1
            if present is None or summing or (noisy and at not in seen):
                tabled = not is_wide(cpd)
                lined = noisy and name not in writer.with_children and at not in writer.soft
                tabled = tabled and (present is None or summing or not lined)
            else:
                tabled = not noisy or (at in present and len(cpd.parents) <= WIDEST_PRESENT)
            chained = isinstance(cpd, AnyOfCPD) and name in writer.with_children and at not in seen
            if tabled or not isinstance(cpd, NoisyCPD):
                self.tables.append(name)
                self.scopes.append(scope)
            elif summing or chained:
                before = len(cards)
                links = chain(cpd, position, writer.rank, cards)
                if summing:
                    hidden.update(range(before, len(cards)))
                with np.errstate(divide="ignore"):
                    self.chains += [(link.scope, np.log(link.table)) for link in links]
            else:
                self.bounded.append(cpd)
        self.cards = tuple(cards)
        self.scopes += [scope for scope, _ in self.chains]
        self.sums = summed | hidden
        self.maximised = (kept | set(range(len(writer.named), len(cards)))) - self.sums
        self.held = 8.0 * sum(math.prod(float(cards[v]) for v in one) for one in self.scopes)
        self._written: Factored | None = None

    def free(self, seen: frozenset[int]) -> tuple[frozenset[int], frozenset[int]]:
        """What is maximised and what is summed, auxiliary variables among them."""
        return self.maximised - seen, self.sums

    def factored(self, writer: _Writer) -> Factored:
        """The logs of all tables; made once."""
        if self._written is None:
            tables = []
            for name in self.tables:
                if name not in writer.logs:
                    family = (*writer.network.parents(name), name)
                    with np.errstate(divide="ignore"):
                        table = np.log(writer.network.table(name))
                    writer.logs[name] = tuple(writer.position[one] for one in family), table
                tables.append(writer.logs[name])
            families = tuple(wide_families(self.bounded, writer.position))
            self._written = Factored(self.cards, (*tables, *self.chains), families)
        return self._written


def _log_likelihood(values: FloatArray) -> FloatArray:
    """Log of likelihoods (N, S) as (S, N); 0 in rows that say nothing."""
    given = np.asarray(values, dtype=np.float64)
    known = np.where(np.isnan(given).all(axis=1, keepdims=True), 1.0, given)
    with np.errstate(divide="ignore"):
        result: FloatArray = np.log(known).T.copy()
    return result


def _signatures(marks: BoolArray) -> Iterator[IntArray]:
    """Yield the rows (N, V) that are alike, kind by kind."""
    groups: dict[bytes, list[int]] = {}
    for row, seen in enumerate(np.packbits(marks, axis=1)):
        groups.setdefault(seen.tobytes(), []).append(row)
    for rows in groups.values():
        yield np.array(rows, dtype=np.intp)
