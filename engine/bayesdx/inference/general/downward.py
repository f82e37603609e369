"""The downward sweep: derivatives of the evidence, and the posteriors read from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from bayesdx.inference.general.instructions import (
    Apply,
    Collapse,
    LinearMap,
    Normalise,
    OutputRows,
    Slot,
    TreeEvidence,
    Unscale,
    linear_map,
)
from bayesdx.inference.general.potentials import axis_order, incidence, projected
from bayesdx.inference.general.sparse_tables import Relation, codes, decode
from bayesdx.inference.general.upward import Build, Line, Operand, ProductStep, product_of

if TYPE_CHECKING:
    from bayesdx.inference.arrays import IntArray
    from bayesdx.inference.general.cluster_tree import Tensor

EQUAL = Line(None)


@dataclass(eq=False)
class Output:
    """Rows of the output given out so far.

    Attributes
    ----------
    rows : int
    start : dict of int to int
        First row of each variable.
    blocks : list of OutputRows
        Rows that share a sum, which is their last row.
    """

    rows: int = 0
    start: dict[int, int] = field(default_factory=dict)
    blocks: list[OutputRows] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Base:
    """Rows of joint states, times their probability, that posteriors are read from.

    ``slot`` is None for the constant 1.
    """

    slot: Slot | None
    scope: tuple[int, ...]
    states: IntArray


def sweep_down(build: Build) -> Output:
    """Write the downward sweep; return where posteriors stand."""
    tree = build.tree
    output = Output()
    for row, (_, slot) in enumerate(build.roots):
        build.code.append(TreeEvidence(slot, build.scales + row))
    below = _hanging(build)
    derivative: dict[int, Slot] = {}
    for c in tree.preorder:
        if tree.live[c]:
            _descend(build, c, derivative, output, below)
        elif tree.parent[c] < 0:
            _read(build, output, Base(None, (), np.zeros(1, dtype=np.intp)), (), (c,))
    build.code += [Normalise(block) for block in output.blocks]
    return output


def _hanging(build: Build) -> dict[Tensor, list[int]]:
    result: dict[Tensor, list[int]] = {}
    for c, tensor in build.tree.hanging.items():
        result.setdefault(tensor, []).append(c)
    return result


def _descend(
    build: Build,
    c: int,
    derivative: dict[int, Slot],
    output: Output,
    below: dict[Tensor, list[int]],
) -> None:
    tree, arena, product = build.tree, build.arena, build.product[c]
    arriving = derivative.pop(c, None)
    if arriving is not None:
        if c in build.scale:
            build.code.append(Unscale(arriving, build.scale[c]))
        _read_tensor(build, output, ("edge", c), build.message[c], arriving, below)
    wanted = ("clique", c) in tree.reading or ("clique", c) in below
    if not wanted and not product.holds_message:
        if arriving is not None:
            arena.free(arriving)
        return
    here = arena.take(len(product.states))
    build.code.append(Apply(build.upward[c][1], arriving, here))
    if arriving is not None:
        arena.free(arriving)
    _read_tensor(build, output, ("clique", c), product, here, below)
    if not product.holds_message:
        arena.free(here)
        return
    for step in reversed(build.steps[c]):
        left = _undo(build, step, here, derivative)
        if left is None:
            return
        here = left
    first = build.steps[c][0].left if build.steps[c] else product
    derivative[first.child] = here


def _undo(build: Build, step: ProductStep, here: Slot, derivative: dict[int, Slot]) -> Slot | None:
    """Pass a derivative through a product; return the derivative of its left side, if wanted."""
    arena, code = build.arena, build.code
    if step.left is step.right:
        return _collapse(build, here, step.left_line, step.left)
    if step.right.child >= 0:
        weighted = arena.take(here.size) if step.left.holds_message else here
        code.append(product_of(here, EQUAL, step.left_slot, step.left_line, weighted))
        derivative[step.right.child] = _collapse(build, weighted, step.right_line, step.right)
        if not step.left.holds_message:
            return None
    code.append(product_of(here, EQUAL, step.right_slot, step.right_line, here))
    return _collapse(build, here, step.left_line, step.left)


def _collapse(build: Build, source: Slot, line: Line, operand: Operand) -> Slot:
    """Sum a derivative over what its operand does not tell apart; the source is given back."""
    if line.equal:
        return source
    out = build.arena.take(len(operand.states))
    if line.index is None:
        build.code.append(Collapse(source, line.shape, line.axes, out))
    else:
        rows = len(line.index)
        ones = np.ones(rows)
        shape = (len(operand.states), rows)
        matrix = linear_map(incidence(line.index, np.arange(rows), ones, shape))
        build.code.append(Apply(matrix, source, out))
    build.arena.free(source)
    return out


def _read_tensor(
    build: Build,
    output: Output,
    tensor: Tensor,
    operand: Operand,
    derivative: Slot,
    below: dict[Tensor, list[int]],
) -> None:
    variables = build.tree.reading.get(tensor, ())
    hanging = tuple(below.get(tensor, ()))
    if not variables and not hanging:
        return
    joint = build.arena.take(len(operand.states))
    build.code.append(product_of(operand.slot, EQUAL, derivative, EQUAL, joint))
    _read(build, output, Base(joint, operand.scope, operand.states), variables, hanging)
    build.arena.free(joint)


def _read(
    build: Build,
    output: Output,
    base: Base,
    variables: tuple[int, ...],
    hanging: tuple[int, ...],
) -> None:
    """Read posteriors of a base, and of the constant cliques that hang on it, by one map."""
    cards = build.problem.cards
    columns = decode(base.states, base.scope, cards)
    every = np.arange(len(base.states))
    ones = np.ones(len(every))
    maps = [
        (v, incidence(columns[v].astype(np.intp), every, ones, (cards[v], len(every))))
        for v in variables
    ]
    rows = Relation(columns, ones)
    further: list[tuple[int, Base]] = []
    stack = [(c, _restriction(build, c, rows)) for c in hanging]
    while stack:
        c, matrix = stack.pop()
        conditional, places, at = _conditional(build, c)
        for v in sorted(build.targets & (build.tree.cliques[c] - build.tree.separator[c])):
            state = conditional.columns[v].astype(np.intp)
            given = incidence(state, at, conditional.values, (cards[v], places))
            maps.append((v, given @ matrix))
        for d in build.tree.children[c]:
            scope = axis_order(build.tree, build.tree.separator[d])
            states, to = projected(build.potentials.cliques[d], scope, cards)
            code = codes(conditional, scope, cards)
            to = np.searchsorted(states, code)
            step = incidence(to, at, conditional.values, (len(states), places))
            if _better_alone(build, d, len(states), len(every)):
                slot = build.arena.take(len(states))
                build.code.append(Apply(linear_map(step @ matrix), base.slot, slot))
                further.append((d, Base(slot, scope, states)))
            else:
                stack.append((d, step @ matrix))
    _write(build, output, base, maps)
    for d, deeper in further:
        _read(build, output, deeper, (), (d,))
        assert deeper.slot is not None
        build.arena.free(deeper.slot)


def _restriction(build: Build, c: int, rows: Relation) -> sparse.csr_array:
    """Sum the rows of a base over all but the separator of a constant clique."""
    cards = build.problem.cards
    scope = axis_order(build.tree, build.tree.separator[c])
    states, _ = projected(build.potentials.cliques[c], scope, cards)
    to = np.searchsorted(states, codes(rows, scope, cards))
    return incidence(to, np.arange(len(rows)), np.ones(len(rows)), (len(states), len(rows)))


def _conditional(build: Build, c: int) -> tuple[Relation, int, IntArray]:
    """P(clique | separator) of a constant clique; places of the separator, that of each row."""
    clique = build.potentials.cliques[c]
    scope = axis_order(build.tree, build.tree.separator[c])
    states, at = projected(clique, scope, build.problem.cards)
    total = np.bincount(at, weights=clique.values, minlength=len(states))
    return Relation(clique.columns, clique.values / total[at]), len(states), at


def _better_alone(build: Build, c: int, rows: int, base_rows: int) -> bool:
    """Whether working out the separator of a constant clique saves more than it costs."""
    if rows >= base_rows:
        return False
    wanted = build.weight_below(c)
    return rows * base_rows + wanted * rows + 40.0 < wanted * base_rows


def _write(
    build: Build, output: Output, base: Base, maps: list[tuple[int, sparse.csr_array]]
) -> None:
    if not maps:
        return
    size = len(base.states)
    total = incidence(np.zeros(size, dtype=np.intp), np.arange(size), np.ones(size), (1, size))
    start = output.rows
    for v, matrix in maps:
        output.start[v] = output.rows
        output.rows += matrix.shape[0]
    output.rows += 1
    stacked = sparse.csr_array(sparse.vstack([*(matrix for _, matrix in maps), total]))
    block = OutputRows(start, output.rows - start)
    output.blocks.append(block)
    reader: LinearMap = linear_map(stacked)
    build.code.append(Apply(reader, base.slot, block))
