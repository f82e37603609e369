"""The odds of causes under every subset of the observations of one case, in one sweep.

Each cause acts on a state over all row axes as ``inactive + active * operator``; rows stay open to
the end, so one state holds all subsets of the observations. All numbers are products and sums of
positive ones, so nothing cancels. The joint probability of one cause with every subset needs all
*other* causes to have acted: the causes are halved again and again, each half gets the action of
the other one, and a cause that is left alone reads off its two weights (C log C actions instead of
C^2). Causes that touch at most one row are first made one operator together.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bayesdx.inference.noisy.attribution.observations import SubsetProblem
from bayesdx.inference.noisy.attribution.subset_state import Dims, SubsetState, operate, start_state
from bayesdx.inference.noisy.model import BoolArray, FloatArray, IntArray
from bayesdx.inference.noisy.operator import act

#: Components of rows that an operator of several causes acts on, at most.
MOST_WIDTH = 16


@dataclass(frozen=True, eq=False)
class SubsetWeights:
    """Weights of each wanted cause, present and absent, under subsets of the observations.

    The letter Q stands for the coupling observations, whose 2^Q subsets are all there.

    Attributes
    ----------
    causes : int array (C,)
        Positions in the model.
    on, off : arrays (C, 2^Q, M)
        P(cause present, observations), and absent, up to their `SubsetProblem.log_scale`.
    evidence : array (2^Q, M)
        P(observations), up to the same.
    """

    causes: IntArray
    on: FloatArray
    off: FloatArray
    evidence: FloatArray

    @property
    def log_odds(self) -> FloatArray:
        """Natural log of odds, (C, 2^Q, M); infinite where a weight is 0."""
        with np.errstate(divide="ignore"):
            result: FloatArray = np.log(self.on) - np.log(self.off)
        return result


def subset_weights(problem: SubsetProblem, causes: Sequence[int] | IntArray) -> SubsetWeights:
    """Sum one case over everything but some causes, for all subsets of its observations at once.

    Parameters
    ----------
    problem : SubsetProblem
    causes : sequence of int
        Positions of the wanted causes.
    """
    sweep = _Sweep(problem, frozenset(int(c) for c in causes))
    coupled = [c for c in problem.order if sweep.rows[c] or problem.tables[c][0]]
    free = [c for c in problem.order if c not in coupled]
    state = sweep.shorten(start_state(problem, free), coupled)
    sweep.halve(state, sweep.units(coupled))
    known = sweep.wanted.intersection(coupled)
    if known:
        on, off = sweep.found[min(known)]
        evidence = on + off
    else:
        evidence = sweep.close(sweep.apply(state, coupled, ()))
    for c in sweep.wanted.intersection(free):
        prior = float(problem.tables[c][1])
        share = prior * problem.on[c]
        both = share + (1.0 - prior)
        share = np.divide(share, both, out=np.zeros_like(both), where=both > 0.0)
        spared = np.divide(1.0 - prior, both, out=np.zeros_like(both), where=both > 0.0)
        sweep.found[c] = evidence * share, evidence * spared
    wanted = np.array([int(c) for c in causes], dtype=np.intp)
    on, off = np.zeros((2, len(wanted), *evidence.shape))
    for at, c in enumerate(wanted.tolist()):
        on[at], off[at] = sweep.found[c]
    return SubsetWeights(wanted, on, off, evidence)


class _Sweep:
    """One run; `found` fills with (on, off) of each wanted cause, (2^Q, M) each."""

    def __init__(self, problem: SubsetProblem, wanted: frozenset[int]) -> None:
        self.problem = problem
        self.wanted = wanted
        self.found: dict[int, tuple[FloatArray, FloatArray]] = {}
        n_causes = len(problem.on)
        self.rows = [
            tuple(at for at, row in enumerate(problem.rows) if row.touched[c])
            for c in range(n_causes)
        ]
        self._operators: dict[
            tuple[tuple[int, ...], Dims, tuple[int, ...]], tuple[FloatArray, BoolArray]
        ] = {}
        self._spread: dict[tuple[int, Dims], tuple[FloatArray, FloatArray]] = {}
        self._row_index = self._rows_of_subsets()

    def halve(self, state: SubsetState, units: list[list[int]]) -> None:
        """Visit every wanted cause with all others applied; units share no unknown risk."""
        causes = [c for unit in units for c in unit]
        wanted = self.wanted.intersection(causes)
        if not wanted:
            return
        if len(wanted) == 1:
            (one,) = wanted
            others = [c for c in self.problem.order if c in causes and c != one]
            self._read(self.apply(state, others, [one]), one)
            return
        if len(units) > 1:
            left, right = _halves(units)
        else:
            middle = len(causes) // 2
            left, right = [causes[:middle]], [causes[middle:]]
        for inside, outside in ((left, right), (right, left)):
            others, kept = ([c for unit in side for c in unit] for side in (outside, inside))
            if self.wanted.intersection(kept):
                self.halve(self.apply(state, others, kept), inside)

    def units(self, causes: Sequence[int]) -> list[list[int]]:
        """Put causes together that risks which no observation tells couple, in the order given."""
        units: list[tuple[list[int], set[int]]] = []
        for c in causes:
            members = [c]
            risks = set(self.problem.tables[c][0]).difference(self.problem.known_risk)
            for other in [unit for unit in units if unit[1] & risks]:
                units.remove(other)
                members, risks = other[0] + members, other[1] | risks
            units.append((members, risks))
        return [members for members, _ in units]

    def apply(self, state: SubsetState, causes: Sequence[int], later: Sequence[int]) -> SubsetState:
        """Let causes act; what neither they nor ``later`` ones need any more is closed."""
        left = Counter(need for c in (*causes, *later) for need in self.problem.needs[c])
        waiting: dict[tuple[int, ...], list[int]] = {}
        for group, local in self._groups(state, causes, later):
            risks = {r for c in group for r in self.problem.tables[c][0]} - local
            if new := sorted(risks.difference(state.dims)):
                state = self._open(self._flush(state, waiting), new)
            rows = tuple(sorted({at for c in group for at in self.rows[c]}))
            if local:
                state = self._through(state, group, rows)
            elif len(rows) <= 1:
                waiting.setdefault(rows, []).extend(group)
            else:
                acted = self._active(state, group[0])
                acted += state.values * self._weights(group[0], state.dims)[1]
                state = replace(state, values=acted)
            needs = [need for c in group for need in self.problem.needs[c] if need not in local]
            left.subtract(needs)
            if done := sorted({need for need in needs if left[need] == 0}):
                state = self._flush(state, waiting)
                state = self._close(state, [r for r in done if r >= 0])
                state = self._shortened(state, [~need for need in done if need < 0])
        return self._flush(state, waiting)

    def _groups(
        self, state: SubsetState, causes: Sequence[int], later: Sequence[int]
    ) -> list[tuple[list[int], set[int]]]:
        """Put causes together that share a risk which concerns no other, and touch few rows.

        Returns
        -------
        list of (causes, their risks that concern no other cause and that no observation tells)
            A cause alone, with no such risk, where a group would not pay.
        """
        tables = self.problem.tables
        elsewhere = {r for c in later for r in tables[c][0]}.union(
            state.dims, self.problem.known_risk
        )
        groups: list[tuple[list[int], set[int]]] = []
        for c in causes:
            members, local = [c], set(tables[c][0]) - elsewhere
            for other in [group for group in groups if group[1] & local]:
                groups.remove(other)
                members, local = other[0] + members, other[1] | local
            groups.append((members, local))
        place = {c: at for at, c in enumerate(causes)}
        total, result = math.prod(state.sizes), []
        for members, local in groups:
            rows = {at for c in members for at in self.rows[c]}
            width = math.prod(state.sizes[at] for at in rows)
            if local and width <= MOST_WIDTH and width * width <= total:
                result.append((members, local))
            else:
                result += [([c], set[int]()) for c in members]
        return sorted(result, key=lambda group: place[group[0][0]])

    def _through(
        self, state: SubsetState, group: Sequence[int], rows: tuple[int, ...]
    ) -> SubsetState:
        """Let causes act as one operator on a few rows, their own risks summed over inside it."""
        used = {r for c in group for r in self.problem.tables[c][0]}
        dims = tuple(dim for dim in state.dims if dim in used)
        sizes = tuple(size if at in rows else 1 for at, size in enumerate(state.sizes))
        operator, acts = self._operator(tuple(group), dims, sizes)
        width, columns = len(acts), self.problem.on.shape[1]
        wide = tuple(self._size(dim) for dim in state.dims)
        shape = tuple(self._size(dim) if dim in used else 1 for dim in state.dims)
        values = np.moveaxis(
            state.values.reshape(*state.sizes, math.prod(wide) * columns), rows, range(len(rows))
        )
        kept = values.shape
        values = values.reshape(width, -1, *wide, columns)
        result = np.zeros_like(values)
        for to in range(width):
            for source in range(width):
                if acts[to, source]:
                    result[to] += operator[to, source].reshape(*shape, columns) * values[source]
        back = np.moveaxis(result.reshape(kept), range(len(rows)), rows)
        return replace(state, values=back.reshape(state.values.shape))

    def _operator(
        self, group: tuple[int, ...], dims: Dims, sizes: tuple[int, ...]
    ) -> tuple[FloatArray, BoolArray]:
        """Return what causes do to a few rows, (width, width, L), and where that is not 0."""
        key = group, dims, sizes
        found = self._operators.get(key)
        if found is None:
            width = math.prod(sizes)
            # Every column of the identity, as one more axis of rows that nothing touches.
            length = self.problem.on.shape[1] * math.prod(self._size(dim) for dim in dims)
            unit = np.repeat(np.eye(width).reshape(-1, 1), length, axis=1)
            acted = self._alone(SubsetState(unit, dims, (*sizes, width)), group)
            operator: FloatArray = acted.values.reshape(width, width, -1)
            found = operator, np.asarray(operator.any(axis=2))
            self._operators[key] = found
        return found

    def _alone(self, state: SubsetState, group: Sequence[int]) -> SubsetState:
        """Let causes act one after the other, and sum over the risks that they open."""
        dims = state.dims
        for at, c in enumerate(group):
            state = self._open(state, [r for r in self.problem.tables[c][0] if r not in state.dims])
            acted = self._active(state, c)
            acted += state.values * self._weights(c, state.dims)[1]
            state = replace(state, values=acted)
            rest = {r for other in group[at + 1 :] for r in self.problem.tables[other][0]}
            done = [dim for dim in state.dims if dim not in dims and dim not in rest]
            state = self._close(state, done)
        return state

    def shorten(self, state: SubsetState, causes: Sequence[int]) -> SubsetState:
        """Add up the components of rows that no cause will tell apart."""
        needed = {need for c in causes for need in self.problem.needs[c]}
        return self._shortened(state, [at for at in range(len(state.sizes)) if ~at not in needed])

    def _shortened(self, state: SubsetState, rows: Sequence[int]) -> SubsetState:
        for at in rows:
            if state.sizes[at] > 2:
                view = state.by_row(at)
                short = np.stack([view[:, 0], view[:, 1] + view[:, 2]], axis=1)
                sizes = (*state.sizes[:at], 2, *state.sizes[at + 1 :])
                state = SubsetState(short.reshape(-1, state.values.shape[1]), state.dims, sizes)
        return state

    def _size(self, dim: int) -> int:
        return 2 if dim < 0 else len(self.problem.risk_priors[dim])

    def _weights(self, cause: int, dims: Dims) -> tuple[FloatArray, FloatArray]:
        """Return the active and the inactive weight of a cause in each component, (L,)."""
        key = cause, dims
        found = self._spread.get(key)
        if found is None:
            risks, table = self.problem.tables[cause]
            shape = [self._size(dim) if dim in risks else 1 for dim in dims]
            order = [risks.index(dim) for dim in dims if dim in risks]
            wide = tuple(self._size(dim) for dim in dims)
            prior = np.broadcast_to(table.transpose(order).reshape(shape), wide).reshape(-1, 1)
            on = self.problem.on[cause]
            found = (prior * on).ravel(), np.repeat(1.0 - prior.ravel(), len(on))
            self._spread[key] = found
        return found

    def _active(self, state: SubsetState, cause: int) -> FloatArray:
        """Return the values with a cause present."""
        on = replace(state, values=state.values * self._weights(cause, state.dims)[0])
        for at in self.rows[cause]:
            act(on.by_row(at), 1, self.problem.rows[at].effect_of(cause, state.sizes[at]))
        return on.values

    def _flush(self, state: SubsetState, waiting: dict[tuple[int, ...], list[int]]) -> SubsetState:
        """Let causes that touch one row at most act together; empties ``waiting``."""
        for rows, causes in waiting.items():
            weights = [self._weights(c, state.dims) for c in causes]
            if rows:
                values = operate(state.by_row(rows[0]), self.problem.rows[rows[0]], causes, weights)
                state = replace(state, values=values.reshape(state.values.shape))
            else:
                idle = weights[0][0] + weights[0][1]
                for active, inactive in weights[1:]:
                    idle *= active + inactive
                state = replace(state, values=state.values * idle)
        waiting.clear()
        return state

    def _open(self, state: SubsetState, risks: list[int]) -> SubsetState:
        values, dims = state.values, state.dims
        for r in risks:
            prior = self.problem.risk_priors[r]
            values = (values[:, None] * prior[:, None]).reshape(len(values), -1)
            dims = (r, *dims)
        return SubsetState(values, dims, state.sizes)

    def _close(self, state: SubsetState, risks: Iterable[int]) -> SubsetState:
        values, dims = state.values, state.dims
        for r in risks:
            at = dims.index(r)
            before = int(np.prod([self._size(dim) for dim in dims[:at]], dtype=np.intp))
            view = values.reshape(len(values) * before, self._size(r), -1)
            closed = view[:, :1] + view[:, 1:2]
            for state_of in range(2, self._size(r)):
                closed += view[:, state_of, None]
            known = self.problem.known_risk.get(r)
            if known is not None:
                closed = np.concatenate([closed, view[:, known[1], None]], axis=1)
            values = closed.reshape(len(values), -1)
            dims = dims[:at] + ((~r,) if known is not None else ()) + dims[at + 1 :]
        return SubsetState(values, dims, state.sizes)

    def _read(self, state: SubsetState, cause: int) -> None:
        new = [r for r in self.problem.tables[cause][0] if r not in state.dims]
        state = self._open(state, new)
        off = state.values * self._weights(cause, state.dims)[1]
        on = self._active(state, cause)
        self.found[cause] = (
            self.close(replace(state, values=on)),
            self.close(replace(state, values=off)),
        )

    def close(self, state: SubsetState) -> FloatArray:
        """Sum over what is open, and pick every coupling subset, (2^Q, M)."""
        return self._subsets(self._close(state, [dim for dim in state.dims if dim >= 0]))

    def _rows_of_subsets(self) -> IntArray:
        """Row of each coupling subset, once every axis is "not known" or "known"."""
        return self._index([row.observation for row in self.problem.rows])

    def _index(self, observations: Sequence[int]) -> IntArray:
        subsets = np.arange(1 << len(self.problem.coupling), dtype=np.intp)
        index = np.zeros_like(subsets)
        for observation in observations:
            index = 2 * index + (subsets >> self.problem.coupling.index(observation) & 1)
        return index

    def _subsets(self, state: SubsetState) -> FloatArray:
        """Pick the component of every subset of the coupling observations, (2^Q, M)."""
        values = state.values
        for at in reversed(range(len(state.sizes))):
            size = state.sizes[at]
            view = values.reshape(math.prod(state.sizes[:at]), size, -1)
            known = view[:, 1:2] if size == 2 else view[:, 1:2] + view[:, 2:3]
            values = np.concatenate([view[:, :1], known], axis=1)
        columns = self.problem.on.shape[1]
        shaped = values.reshape(1 << len(self.problem.rows), -1, columns)
        risks = self._index([self.problem.known_risk[~dim][0] for dim in state.dims])
        result: FloatArray = shaped[self._row_index, risks]
        return result


def _halves(units: list[list[int]]) -> tuple[list[list[int]], list[list[int]]]:
    """Split units where their causes are best halved."""
    counts = np.cumsum([len(unit) for unit in units])
    at = int(np.abs(counts[:-1] - counts[-1] / 2.0).argmin()) + 1
    return units[:at], units[at:]
