"""Calls the kernel of single cases: tables and workspaces, and room for large cases."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

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
        self._lock = threading.Lock()
        self._idle: list[SoloMemory] = []

    def answer(
        self, cases: CaseBatch, targets: Sequence[int]
    ) -> tuple[FloatArray, FloatArray, IntArray, FloatArray]:
        """Answer every case; see `CaseExecutor.answer`."""
        memory, wanted = self._borrow(), tuple(targets)
        single = len(cases) == 1 and not cases.soft
        if single and memory.wanted == wanted:
            memory.asked.states[...] = cases.states
        else:
            # To ask for the addresses of arrays takes as long as a small case.
            memory.show(self._asked(cases, wanted), wanted if single else None)
        asked = memory.asked
        at = 0
        while at < len(cases):
            at = answer_alone_at(memory.address, at, len(cases))
            if at < len(cases):
                # Sizes come as sums of logarithms: a little more than they say.
                cells, axes = np.ceil(asked.needs[at, [N_ROOM, N_AXES_IN_ALL]] * (1.0 + 1e-9))
                memory = SoloMemory(self._known, memory, int(cells), int(axes))
        answer = asked.posteriors, asked.log_evidence, asked.status, asked.needs
        if memory.space.n_cells <= KEPT_CELLS:
            # What is used again must not be what was handed out.
            answer = tuple(array.copy() for array in answer) if single else answer
            with self._lock:
                self._idle.append(memory)
        return answer

    def _asked(self, cases: CaseBatch, targets: tuple[int, ...]) -> CasesAlone:
        """Cases, and new arrays for their answers."""
        n, problem = len(cases), self._problem
        widths = [problem.cards[v] for v in targets]
        start = np.full(problem.n_named, -1, dtype=np.intp)
        start[list(targets)] = list(accumulate(widths, initial=0))[:-1]
        soft_first = np.full(problem.n_named, -1, dtype=np.intp)
        lengths = accumulate((len(one) for one in cases.soft.values()), initial=0)
        for v, first in zip(cases.soft, lengths, strict=False):
            soft_first[v] = first
        return CasesAlone(
            n_cases=n,
            n_posteriors=sum(widths),
            most_cells=self._most_cells,
            states=np.array(cases.states, order="C"),
            soft=np.concatenate([np.zeros((0, n)), *cases.soft.values()]),
            soft_first=soft_first,
            start=start,
            posteriors=np.empty((sum(widths), n)),
            log_evidence=np.empty(n),
            status=np.zeros(n, dtype=np.int8),
            needs=np.zeros((n, NEEDS)),
            **self._flags._asdict(),
        )

    def _borrow(self) -> SoloMemory:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return SoloMemory(self._known, None, FIRST_CELLS, FIRST_AXES)


class SoloMemory:
    """Room for one case, the cases that are asked, and the addresses of both.

    ``wanted`` are the variables for which ``asked`` is laid out, if it can be used again.
    """

    def __init__(
        self, known: FlatFactors, smaller: SoloMemory | None, cells: int, axes: int
    ) -> None:
        if smaller is not None:
            cells, axes = max(cells, smaller.space.n_cells), max(axes, smaller.space.n_axes)
        self.space: SoloSpace = _space(known, cells, axes)
        blank = np.zeros(len(CasesAlone._fields), dtype=np.int64)
        self._places = np.concatenate([addresses(known), blank, addresses(self.space)])
        self.address: int = self._places.__array_interface__["data"][0]
        self.wanted: tuple[int, ...] | None = None
        self.asked: Any = None
        if smaller is not None:
            self.show(smaller.asked, smaller.wanted)

    def show(self, asked: CasesAlone, wanted: tuple[int, ...] | None) -> None:
        """Let the kernel find some cases."""
        self.asked, self.wanted = asked, wanted
        first = len(FlatFactors._fields)
        self._places[first : first + len(asked)] = addresses(asked)


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
