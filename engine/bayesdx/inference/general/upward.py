"""From possible joint states to array code: the upward and the downward sweep of a plan.

Upward, a live clique multiplies its messages and maps the product to its parent by a constant
linear map (the sum over everything else). Downward is the derivative of that, instruction by
instruction (Darwiche 2003): message times derivative is the joint of its variables with the
evidence, so that every posterior is read by one more constant map.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bayesdx.inference.general.instructions import (
    Apply,
    Arena,
    Gather,
    Instruction,
    LinearMap,
    Multiply,
    Pick,
    Rescale,
    Slot,
    linear_map,
)
from bayesdx.inference.general.potentials import Potentials, axis_order, incidence, projected
from bayesdx.inference.general.sparse_tables import Relation, codes, decode, space_of

if TYPE_CHECKING:
    from bayesdx.inference.arrays import FloatArray, IntArray
    from bayesdx.inference.general.cluster_tree import ClusterTree
    from bayesdx.inference.general.factors import FactorNetwork

#: Messages that meet are rescaled so that their product stays above 10 ** -this.
LOWEST_EXPONENT = 240.0


@dataclass(frozen=True, eq=False)
class Operand:
    """An array with one row a joint state.

    Attributes
    ----------
    scope : tuple of int
        In axis order.
    states : intp array (rows,)
        Sorted codes of the joint states.
    slot : Slot
    exponent : float
        Entries other than 0 are at least 10 ** -exponent, were nothing rescaled.
    child : int
        The clique whose message it is; -1 for anything else.
    holds_message : bool
        Whether a message is among what was multiplied: only then is its derivative wanted.
    """

    scope: tuple[int, ...]
    states: IntArray
    slot: Slot
    exponent: float
    child: int = -1
    holds_message: bool = False


@dataclass(frozen=True, eq=False)
class Line:
    """How the rows of an operand line up with those of a product: at once, broadcast or gathered.

    ``shape`` holds the lengths of merged axes of the product; ``axes`` those that the operand
    lacks.
    """

    index: IntArray | None
    shape: tuple[int, ...] = ()
    axes: tuple[int, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether the rows are the same."""
        return self.index is None and not self.axes


@dataclass(frozen=True, eq=False)
class ProductStep:
    """One product on the way up, remembered for the way down."""

    left: Operand
    right: Operand
    out: Operand
    left_line: Line
    right_line: Line
    left_slot: Slot  #: the left rows as they entered the product
    right_slot: Slot


@dataclass(eq=False)
class Build:
    """A program under construction.

    Attributes
    ----------
    code : list of Instruction
    arena : Arena
    picks, softs : lists
        What is loaded for each case: (factor, row of codes), (variable, slot).
    scales : int
        Rescalings so far.
    steps : dict of int to list of ProductStep
        Products of each clique.
    product, message : dict of int to Operand
        Of each live clique.
    upward : dict of int to LinearMap pairs
        The map to the parent and its transpose.
    scale : dict of int to int
        Which rescaling a message had.
    """

    problem: FactorNetwork
    tree: ClusterTree
    potentials: Potentials
    targets: frozenset[int]
    code: list[Instruction] = field(default_factory=list)
    arena: Arena = field(default_factory=Arena)
    picks: list[tuple[int, int]] = field(default_factory=list)
    softs: list[tuple[int, Slot]] = field(default_factory=list)
    scales: int = 0
    steps: dict[int, list[ProductStep]] = field(default_factory=dict)
    product: dict[int, Operand] = field(default_factory=dict)
    message: dict[int, Operand] = field(default_factory=dict)
    upward: dict[int, tuple[LinearMap, LinearMap]] = field(default_factory=dict)
    scale: dict[int, int] = field(default_factory=dict)
    roots: list[tuple[int, Slot]] = field(default_factory=list)
    weights: dict[int, float] = field(default_factory=dict)

    def weight_below(self, c: int) -> float:
        """States of the wanted variables of a constant clique and of all below it."""
        if not self.weights:
            tree, cards = self.tree, self.problem.cards
            for d in reversed(tree.preorder):
                fresh = self.targets & (tree.cliques[d] - tree.separator[d])
                own = float(sum(cards[v] for v in fresh))
                self.weights[d] = own + sum(self.weights[e] for e in tree.children[d])
        return self.weights[c]


def sweep_up(build: Build) -> None:
    """Write the upward sweep."""
    tree = build.tree
    for c in reversed(tree.preorder):
        if tree.live[c]:
            operands = _evidence_of(build, c)
            operands += [build.message[d] for d in tree.children[c] if tree.live[d]]
            _multiply_all(build, c, operands)
            _send(build, c)


def _evidence_of(build: Build, c: int) -> list[Operand]:
    tree, cards = build.tree, build.problem.cards
    found = []
    for f in tree.leaves[c]:
        leaf = build.potentials.leaves[f]
        slot = build.arena.take(len(leaf.table))
        build.code.append(Pick(leaf.table, len(build.picks), slot))
        build.picks.append((f, len(build.picks)))
        states = codes(leaf.support, leaf.scope, cards)
        found.append(Operand(leaf.scope, states, slot, _exponent(leaf.table)))
    for v in tree.softs[c]:
        slot = build.arena.take(cards[v])
        build.softs.append((v, slot))
        found.append(Operand((v,), np.arange(cards[v]), slot, 0.0))
    return found


def _exponent(values: FloatArray) -> float:
    """How small a positive entry is, in powers of ten; at least 0."""
    positive = values[values > 0]
    return max(0.0, -float(np.log10(positive.min()))) if positive.size else 0.0


def _multiply_all(build: Build, c: int, operands: list[Operand]) -> None:
    """Multiply the messages of a clique, narrow ones first, evidence before children."""
    tree, relation = build.tree, build.potentials.cliques[c]
    build.steps[c] = []
    have = operands.pop(_narrowest(operands, frozenset(), build))
    while operands:
        chosen = operands.pop(_narrowest(operands, frozenset(have.scope), build))
        scope = axis_order(tree, frozenset(have.scope) | frozenset(chosen.scope))
        have = _multiply(build, c, have, chosen, scope, relation)
    whole = axis_order(tree, tree.product[c])
    if have.scope != whole or len(have.states) != _possible(build, whole, relation):
        have = _widen(build, c, have, whole, relation)
    build.product[c] = have


def _narrowest(operands: list[Operand], scope: frozenset[int], build: Build) -> int:
    for i, one in enumerate(operands):
        # Nothing is narrower than what is there already; of thousands each is looked at once.
        if one.child < 0 and scope.issuperset(one.scope):
            return i
    cards = build.problem.cards
    return min(
        range(len(operands)),
        key=lambda i: (
            space_of(tuple(scope.union(operands[i].scope)), cards),
            operands[i].child >= 0,
        ),
    )


def _possible(build: Build, scope: tuple[int, ...], relation: Relation) -> int:
    return len(projected(relation, scope, build.problem.cards)[0])


def _multiply(
    build: Build, c: int, left: Operand, right: Operand, scope: tuple[int, ...], relation: Relation
) -> Operand:
    cards = build.problem.cards
    states, _ = projected(relation, scope, cards)
    left_line = _line(left, scope, states, cards)
    right_line = _line(right, scope, states, cards)
    left_slot = _lined_up(build, left, left_line, len(states))
    right_slot = _lined_up(build, right, right_line, len(states))
    slot = build.arena.take(len(states))
    build.code.append(product_of(left_slot, left_line, right_slot, right_line, slot))
    holds = left.holds_message or right.holds_message
    out = Operand(scope, states, slot, left.exponent + right.exponent, holds_message=holds)
    step = ProductStep(left, right, out, left_line, right_line, left_slot, right_slot)
    build.steps[c].append(step)
    return out


def _widen(
    build: Build, c: int, operand: Operand, scope: tuple[int, ...], relation: Relation
) -> Operand:
    """Repeat rows over variables that only the reading needs, or drop impossible ones."""
    cards = build.problem.cards
    states, _ = projected(relation, scope, cards)
    line = Line(row_index(operand, scope, states, cards))
    slot = _lined_up(build, operand, line, len(states))
    holds = operand.holds_message
    out = Operand(scope, states, slot, operand.exponent, holds_message=holds)
    build.steps[c].append(ProductStep(operand, operand, out, line, line, slot, slot))
    return out


def row_index(
    operand: Operand, scope: tuple[int, ...], states: IntArray, cards: tuple[int, ...]
) -> IntArray:
    """Which row of an operand belongs to each joint state of a wider scope."""
    columns = Relation(decode(states, scope, cards), np.ones(len(states)))
    return np.searchsorted(operand.states, codes(columns, operand.scope, cards))


def _line(
    operand: Operand, scope: tuple[int, ...], states: IntArray, cards: tuple[int, ...]
) -> Line:
    if operand.scope == scope and len(operand.states) == len(states):
        return Line(None)
    full = len(states) == space_of(scope, cards)
    if full and len(operand.states) == space_of(operand.scope, cards):
        shape: list[int] = []
        lacking: list[int] = []
        last = None
        for v in scope:
            missing = v not in operand.scope
            if missing == last:
                shape[-1] *= cards[v]
            else:
                shape.append(cards[v])
                if missing:
                    lacking.append(len(shape) - 1)
            last = missing
        return Line(None, tuple(shape), tuple(lacking))
    return Line(row_index(operand, scope, states, cards))


def _lined_up(build: Build, operand: Operand, line: Line, rows: int) -> Slot:
    """Gather rows where need be."""
    if line.index is None:
        return operand.slot
    slot = build.arena.take(rows)
    build.code.append(Gather(operand.slot, line.index, slot))
    return slot


def product_of(left: Slot, left_line: Line, right: Slot, right_line: Line, out: Slot) -> Multiply:
    """Multiply two slots into one; each is lined up as its line says."""
    if not left_line.axes and not right_line.axes:
        return Multiply(left, right, out)
    # Both broadcast: common axes are the finest cut that both agree on.
    cuts = sorted(_cuts(left_line, out.size) | _cuts(right_line, out.size))
    shape = tuple(cuts[i + 1] // cuts[i] for i in range(len(cuts) - 1))[::-1]
    return Multiply(left, right, out, (_shape(left_line, shape), _shape(right_line, shape), shape))


def _cuts(line: Line, rows: int) -> set[int]:
    """Strides at which the axes of a line end, 1 and the number of rows among them."""
    cuts, stride = {1, rows}, 1
    for length in reversed(line.shape):
        stride *= length
        cuts.add(stride)
    return cuts


def _shape(line: Line, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The operand's own lengths along the axes of ``shape``, 1 where it is repeated."""
    if not line.axes:
        return shape
    missing: list[tuple[int, int]] = []
    stride = 1
    for i in reversed(range(len(line.shape))):
        if i in line.axes:
            missing.append((stride, stride * line.shape[i]))
        stride *= line.shape[i]
    result, stride = [], 1
    for length in reversed(shape):
        inside = any(low <= stride < high for low, high in missing)
        result.append(1 if inside else length)
        stride *= length
    return tuple(result[::-1])


def _send(build: Build, c: int) -> None:
    """Map the product of a clique to its message, rescaled when it may be small."""
    tree, cards = build.tree, build.problem.cards
    relation, product = build.potentials.cliques[c], build.product[c]
    scope = axis_order(tree, tree.separator[c])
    states, out_rows = projected(relation, scope, cards)
    _, in_rows = projected(relation, product.scope, cards)
    matrix = incidence(out_rows, in_rows, relation.values, (len(states), len(product.states)))
    forward, backward = linear_map(matrix), linear_map(matrix.T.tocsr())
    exponent = product.exponent + _exponent(matrix.data)
    slot = build.arena.take(len(states))
    build.code.append(Apply(forward, product.slot, slot))
    build.upward[c] = (forward, backward)
    siblings = len(tree.children[tree.parent[c]]) if tree.parent[c] >= 0 else 0
    if siblings and exponent > LOWEST_EXPONENT / (siblings + 1):
        build.scale[c] = build.scales
        build.code.append(Rescale(slot, build.scales))
        build.scales += 1
        exponent = 0.0
    build.message[c] = Operand(scope, states, slot, exponent, child=c, holds_message=True)
    if tree.parent[c] < 0:
        build.roots.append((c, slot))
