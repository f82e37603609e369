"""A compiled plan: what one evidence signature costs, and the code that answers it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bayesdx.inference.arrays import FloatArray
from bayesdx.inference.general.cluster_tree import build_cluster_tree
from bayesdx.inference.general.costs import (
    CACHE_BYTES,
    CALL,
    COMPILE_ROW,
    COMPILE_STEP,
    FAR_OPERATION,
    FLAT_CACHE,
    FLAT_CALL,
    FLAT_FARTHEST,
    FLAT_OPERATION,
    FLAT_WIDTH,
    LONE_CALL,
    LONE_OPERATION,
    NARROW,
    OPERATION,
    CaseWork,
)
from bayesdx.inference.general.downward import Output, sweep_down
from bayesdx.inference.general.factors import FactorNetwork, memory_refusal
from bayesdx.inference.general.instructions import Instruction, Slot
from bayesdx.inference.general.potentials import build_potentials
from bayesdx.inference.general.sparse_tables import TooManyRows
from bayesdx.inference.general.upward import Build, sweep_up

#: Bytes of a row while a plan is made: its states, its value, and copies under way.
ROW_BYTES = 160.0
#: Neighbours that restarts of the elimination order may look at: some tenth of a second.
RESTART_WORK = 40_000
LARGEST_TILE = 1024
#: Compressed maps run over the cases side by side: a narrow tile wastes most of their time.
SMALLEST_TILE = 16
#: Memory that a tile should not exceed, for speed; more is taken only if one case needs it.
TILE_BYTES = float(16 << 20)


@dataclass(frozen=True, eq=False)
class TreePlan:
    """How to answer every case that observes the same variables.

    Attributes
    ----------
    names : tuple of str
    sliced, soft : tuples of int
        Variables observed in every case, and those that enter as a vector of likelihoods.
    order : tuple of int
        Elimination order; auxiliary variables have positions past the names.
    cliques, factors : int
    largest_clique : float
        Joint states of the largest clique, zeros included.
    dense_cells : float
        The same summed over all cliques.
    table_rows : int
        Joint states that the tables allow, of all cliques: what is really computed with.
    arena_rows, output_rows, scale_rows : int
        Rows of the arrays that a tile of cases needs.
    operations : float
        Elementwise operations per case.
    code : tuple of Instruction
    strides : array (slices, sliced)
        Positions of observed states times this is the slice of each factor that a case picks.
    scalars : array
        Log of every wholly observed factor, one after another.
    scalar_strides, scalar_starts : arrays (K, sliced), (K,)
    soft_slots : tuple of (int, Slot)
    outputs : dict of int to int
        First output row of each variable.
    memory_limit : float
    """

    names: tuple[str, ...]
    sliced: tuple[int, ...]
    soft: tuple[int, ...]
    order: tuple[int, ...]
    cliques: int
    factors: int
    largest_clique: float
    dense_cells: float
    table_rows: int
    arena_rows: int
    output_rows: int
    scale_rows: int
    operations: float
    code: tuple[Instruction, ...]
    strides: FloatArray
    scalars: FloatArray
    scalar_strides: FloatArray
    scalar_starts: FloatArray
    soft_slots: tuple[tuple[int, Slot], ...]
    outputs: dict[int, int]
    memory_limit: float

    @property
    def bytes_per_case(self) -> float:
        """Memory that one case needs while it is answered."""
        return 8.0 * (2 * self.output_rows + self.arena_rows + self.scale_rows + 2)

    @cached_property
    def tile(self) -> int:
        """CaseBatch answered side by side."""
        fitting = min(LARGEST_TILE, int(TILE_BYTES / self.bytes_per_case))
        # Half of the memory: the plan's own tables, and another thread's tile, need some too.
        at_most = int(0.5 * self.memory_limit / self.bytes_per_case)
        return max(1, min(max(fitting, SMALLEST_TILE), at_most))

    def nanoseconds(self, cases: int = LARGEST_TILE, *, compiled: bool = False) -> float:
        """Estimated time per case when so many are asked for at once."""
        if compiled and cases < FLAT_WIDTH // 4:
            return self.operations * LONE_OPERATION + len(self.code) * LONE_CALL
        if compiled:
            padded = -(-cases // FLAT_WIDTH) * FLAT_WIDTH / cases
            far = min(1.0 + FLAT_WIDTH * self.bytes_per_case / FLAT_CACHE, FLAT_FARTHEST)
            return padded * (self.operations * FLAT_OPERATION * far + len(self.code) * FLAT_CALL)
        width = min(cases, self.tile)
        near = width * self.bytes_per_case <= CACHE_BYTES
        # Compressed maps and gathers only run at full speed over many cases side by side.
        each = (OPERATION if near else FAR_OPERATION) + NARROW / width
        return self.operations * each + len(self.code) * CALL / width

    @property
    def compile_nanoseconds(self) -> float:
        """Estimated time that making this plan took."""
        return len(self.code) * COMPILE_STEP + self.table_rows * COMPILE_ROW

    @property
    def held_bytes(self) -> float:
        """Memory that the plan itself holds, roughly; as much again as compiled code."""
        return 2.0 * (24.0 * self.operations + 1024.0 * len(self.code))

    @property
    def alone(self) -> CaseWork:
        """What a case takes that is answered without a plan."""
        return CaseWork(len(self.order), self.factors, self.dense_cells)

    def _roads(self) -> list[str]:
        """Estimated times of a case by each road, as they are weighed against each other."""
        lines = []
        for name, cases in (("among many", LARGEST_TILE), ("by itself", 1)):
            told = []
            for executor, compiled in (("NumPy", False), ("compiled", True)):
                plan = self.nanoseconds(cases, compiled=compiled)
                without = self.alone.nanoseconds(compiled)
                road = "the plan" if plan <= without else "no plan"
                told.append(
                    f"{executor} {road} (us: {plan / 1e3:,.3g} by it, {without / 1e3:,.3g} without)"
                )
            lines.append(f"  a case {name:<14} {'; '.join(told)}")
        return lines

    def __str__(self) -> str:
        shown = [self.names[v] for v in self.order if v < len(self.names)]
        order = ", ".join(shown[:8]) + (", ..." if len(shown) > 8 else "")
        return "\n".join(
            [
                f"plan of {len(self.names)} variables, {len(self.sliced)} sliced, "
                f"{len(self.soft)} as likelihoods",
                f"  order          {order}",
                f"  cliques        {self.cliques}, largest {self.largest_clique:,.0f} cells",
                f"  table cells    {self.dense_cells:,.0f}, of which {self.table_rows:,} not zero",
                f"  memory a case  {self.bytes_per_case:,.0f} bytes, tiles of {self.tile}",
                f"  array steps    {len(self.code)} a tile",
                *self._roads(),
            ]
        )


def compile_plan(
    problem: FactorNetwork,
    sliced: frozenset[int],
    soft: frozenset[int],
    targets: frozenset[int],
    memory_limit: float,
    most_rows: float = math.inf,
) -> TreePlan:
    """Make the plan of one evidence signature.

    Parameters
    ----------
    problem : FactorNetwork
    sliced : frozenset of int
        Variables observed in every case.
    soft : frozenset of int
        Variables that some cases observe, or with soft evidence.
    targets : frozenset of int
        Variables whose posteriors are wanted.
    memory_limit : float
        Bytes that the tables and one case may take.
    most_rows : float
        Joint states that all cliques together may have, whatever the memory.

    Raises
    ------
    InvalidNetwork
        With the estimate, if it does not fit.
    """
    unseen = targets - sliced
    place, detail = f"plan of {len(problem.names)} variables", "far too many"
    try:
        tree = build_cluster_tree(problem, sliced, soft, unseen, RESTART_WORK)
        found = tree.elimination
        detail = f"largest clique {found.largest:.3g} of {found.cells:.3g}"
        most = min(memory_limit / ROW_BYTES, most_rows)
        potentials = build_potentials(problem, tree, sliced, most)
    except TooManyRows as reason:
        raise memory_refusal(place, memory_limit, reason.rows * ROW_BYTES, detail) from None
    build = Build(problem, tree, potentials, unseen)
    sweep_up(build)
    plan = _finished(build, sweep_down(build), sliced, soft, memory_limit)
    if plan.bytes_per_case > memory_limit:
        raise memory_refusal(place, memory_limit, plan.bytes_per_case, detail)
    return plan


def _finished(
    build: Build,
    output: Output,
    sliced: frozenset[int],
    soft: frozenset[int],
    memory_limit: float,
) -> TreePlan:
    problem, tree = build.problem, build.tree
    whole = _whole(problem, sliced)
    scalars, starts = _scalars(problem, whole)
    place = {v: i for i, v in enumerate(sorted(sliced))}
    cells = [math.prod(float(problem.cards[v]) for v in clique) for clique in tree.cliques]
    return TreePlan(
        names=problem.names,
        sliced=tuple(sorted(sliced)),
        soft=tuple(sorted(soft)),
        order=tree.elimination.order,
        cliques=len(tree.cliques),
        factors=sum(map(len, (*tree.constants, *tree.leaves))),
        largest_clique=tree.elimination.largest,
        dense_cells=float(sum(cells)),
        table_rows=build.potentials.rows,
        arena_rows=build.arena.size,
        output_rows=output.rows,
        scale_rows=build.scales + len(build.roots),
        operations=sum(step.cost for step in build.code),
        code=tuple(build.code),
        strides=_stacked([_strides(problem, f, place) for f, _ in build.picks], len(sliced)),
        scalars=scalars,
        scalar_strides=_stacked([_strides(problem, f, place) for f in whole], len(sliced)),
        scalar_starts=starts,
        soft_slots=tuple(build.softs),
        outputs=output.start,
        memory_limit=memory_limit,
    )


def _whole(problem: FactorNetwork, sliced: frozenset[int]) -> list[int]:
    return [f for f, one in enumerate(problem.factors) if sliced.issuperset(one.scope)]


def _scalars(problem: FactorNetwork, whole: list[int]) -> tuple[FloatArray, FloatArray]:
    tables = [problem.factors[f].table.ravel() for f in whole]
    lengths = [0, *(len(table) for table in tables)]
    with np.errstate(divide="ignore"):
        logs = np.log(np.concatenate(tables)) if tables else np.zeros(0)
    return logs, np.cumsum(lengths, dtype=np.float64)[:-1]


def _strides(problem: FactorNetwork, f: int, place: dict[int, int]) -> FloatArray:
    """What a step in the state of each sliced variable adds to the slice of a factor."""
    row = np.zeros(len(place))
    stride = 1.0
    for v in reversed(problem.factors[f].scope):
        if v in place:
            row[place[v]] = stride
            stride *= problem.cards[v]
    return row


def _stacked(rows: list[FloatArray], width: int) -> FloatArray:
    return np.array(rows).reshape(len(rows), width)
