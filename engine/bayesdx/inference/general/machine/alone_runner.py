"""Calls the kernel of single cases: tables and workspaces, and room for large cases."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from bayesdx.inference.general.machine.alone_entry import answer_alone_at
from bayesdx.inference.general.machine.alone_memory import (
    CLIQUE,
    N_AXES_IN_ALL,
    N_ROOM,
    NEEDS,
    OPERAND,
    STRETCH,
    WORD,
    CasesAlone,
    FlatFactors,
    SoloSpace,
)
from bayesdx.inference.typed import addresses

if TYPE_CHECKING:
    from bayesdx.inference.arrays import FloatArray, IntArray, MaskArray
    from bayesdx.inference.general.factors import FactorNetwork
    from bayesdx.inference.general.machine.float_flags import FloatFlags
    from bayesdx.inference.general.tiles import CaseBatch

#: Cells, and axes of all cliques, that a workspace has at first; cells that it may keep.
FIRST_CELLS, FIRST_AXES, KEPT_CELLS = 1 << 14, 1 << 10, 1 << 23
_ROOM = len(FlatFactors._fields) + len(CasesAlone._fields)


class AloneRunner:
    """Answers cases one by one without any plan; safe between threads.

    Parameters
    ----------
    problem : FactorNetwork
    memory_limit : float
        Bytes that the tables of a case may take.
    flags : FloatFlags
    """

    def __init__(self, problem: FactorNetwork, memory_limit: float, flags: FloatFlags) -> None:
        self._problem, self._flags = problem, flags
        self._most_cells = int(memory_limit / 8.0)
        self._known = _flat_factors(problem)
        self._known_at = addresses(self._known)
        self._lock = threading.Lock()
        self._idle: list[SoloSpace] = []

    def answer(
        self, cases: CaseBatch, targets: Sequence[int]
    ) -> tuple[FloatArray, FloatArray, IntArray, FloatArray]:
        """Answer every case; see `CaseExecutor.answer`."""
        n, problem = len(cases), self._problem
        widths = [problem.cards[v] for v in targets]
        start = np.full(problem.n_named, -1, dtype=np.intp)
        start[list(targets)] = list(accumulate(widths, initial=0))[:-1]
        soft_first = np.full(problem.n_named, -1, dtype=np.intp)
        lengths = accumulate((len(one) for one in cases.soft.values()), initial=0)
        for v, first in zip(cases.soft, lengths, strict=False):
            soft_first[v] = first
        asked = CasesAlone(
            n_cases=n,
            n_posteriors=sum(widths),
            most_cells=self._most_cells,
            states=np.ascontiguousarray(cases.states),
            soft=np.concatenate([np.zeros((0, n)), *cases.soft.values()]),
            soft_first=soft_first,
            start=start,
            posteriors=np.empty((sum(widths), n)),
            log_evidence=np.empty(n),
            status=np.zeros(n, dtype=np.int8),
            needs=np.zeros((n, NEEDS)),
            **self._flags._asdict(),
        )
        space = self._borrow()
        at = 0
        while at < n:
            places = np.concatenate([self._known_at, addresses(asked, space)])
            at = answer_alone_at(places.__array_interface__["data"][0], at, n)
            if at < n:
                # Sizes come as sums of logarithms: a little more than they say.
                cells, axes = np.ceil(asked.needs[at, [N_ROOM, N_AXES_IN_ALL]] * (1.0 + 1e-9))
                space = _space(
                    self._known, max(int(cells), space.n_cells), max(int(axes), space.n_axes)
                )
        if space.n_cells <= KEPT_CELLS:
            with self._lock:
                self._idle.append(space)
        return asked.posteriors, asked.log_evidence, asked.status, asked.needs

    def _borrow(self) -> SoloSpace:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return _space(self._known, FIRST_CELLS, FIRST_AXES)


def _flat_factors(problem: FactorNetwork) -> FlatFactors:
    cards = np.array(problem.cards, dtype=np.intp)
    scopes = [factor.scope for factor in problem.factors]
    strides = [np.array(factor.table.strides) // 8 for factor in problem.factors]
    sizes = [factor.table.size for factor in problem.factors]
    touching: list[list[int]] = [[] for _ in cards]
    for f, factor in enumerate(problem.factors if cards.max() <= WORD else ()):
        if not factor.table.all():
            for v in factor.scope:
                touching[v].append(f)
    return FlatFactors(
        n_variables=len(cards),
        n_named=problem.n_named,
        n_factors=len(scopes),
        n_words=-(-len(cards) // 64),
        cards=cards,
        weights=np.log2(cards),
        scope_first=np.array(list(accumulate(map(len, scopes), initial=0)), dtype=np.intp),
        scope=np.array([v for scope in scopes for v in scope], dtype=np.intp),
        strides=np.concatenate(strides).astype(np.intp),
        table_first=np.array(list(accumulate(sizes, initial=0)), dtype=np.intp),
        tables=np.concatenate([factor.table.ravel() for factor in problem.factors]),
        zero_first=np.array(list(accumulate(map(len, touching), initial=0)), dtype=np.intp),
        zero=np.array([f for factors in touching for f in factors] + [0], dtype=np.intp),
    )


def _space(known: FlatFactors, cells: int, clique_axes: int) -> SoloSpace:
    """Make room for one case."""
    n, n_operands = known.n_variables, known.n_factors + 2 * known.n_variables
    axes, cells_known = len(known.scope) + n + clique_axes, known.table_first[-1]

    def integers(size: int) -> IntArray:
        return np.zeros(size + 1, dtype=np.intp)

    def words(size: int) -> MaskArray:
        return np.zeros(size, dtype=np.uint64)

    return SoloSpace(
        n_cells=cells,
        n_axes=clique_axes,
        cells=np.empty(cells),
        axes=integers(axes),
        strides=integers(axes),
        walk=integers(STRETCH * (n + 1)),
        cliques=integers(CLIQUE * n),
        operands=integers(OPERAND * n_operands),
        **{name: integers(n) for name in ("open", "left", "order", "best", "rank", "ring")},
        head=integers(n),
        **{name: integers(n) for name in ("state", "cards", "at")},
        **{name: integers(known.n_factors) for name in ("queue", "queued")},
        scanned=integers(0),
        weights=np.zeros(n),
        reduced=np.empty(cells_known + int(known.cards.sum())),
        masks=words(n),
        alive=words(n),
        rest=words(n),
        needed=integers(n),
        cost=np.zeros(n),
        links=words(n * known.n_words),
        saved=words(n * known.n_words),
        marks=words(known.n_words),
    )
