"""The tables of a join, brought into one order of dimensions; and the way back.

Findings on which both tables act become the slowest dimensions, of three entries in the second
table: n, p and their sum. Of the rest, the dimensions of the first table only, of the second only
or of both vary fastest, whichever are more entries: they are gone through by vector instructions.
"""

from __future__ import annotations

from bayesdx.inference.noisy.jit.run_kernels import LANES, copy
from bayesdx.inference.noisy.jit.tree_memory import (
    FIRST,
    INNER,
    MOST_DIMENSIONS,
    OPERATION_COLUMNS,
    PLAIN,
    READY,
    RESULT,
    SECOND,
    TURNED,
    Tree,
)
from bayesdx.inference.noisy.jit.tree_order import has
from bayesdx.inference.typed import Floats, Integers, apart, compiled, inlined, moved

#: What varies fastest: dimensions of the first table only, of the second only, of both; findings on
#: which both act.
OF_FIRST, OF_SECOND, OF_BOTH, MEETING = range(4)


@compiled
def arrange(tree: Tree, operation: int) -> tuple[int, int, int, int, int]:
    """Choose the order of dimensions of a join: what is fastest, a, b, s and k."""
    apart()
    own = moved(tree.operations, OPERATION_COLUMNS * operation)
    first, second, result = own[FIRST], own[SECOND], own[RESULT]
    in_second = moved(tree.scope, tree.n_words * second)
    in_first = moved(tree.scope, tree.n_words * first)
    sizes, lengths = moved(tree.groups, 0), moved(tree.groups, 4)
    for g in range(4):
        sizes[g], lengths[g] = 1, 0
    dims = moved(tree.dims, MOST_DIMENSIONS * first)
    for d in range(tree.n_dims[first]):
        rank, group = dims[d], OF_FIRST
        if has(in_second, rank):
            group = MEETING if has(tree.meets, rank) and rank != own[PLAIN] else OF_BOTH
        _put(tree, group, rank)
    dims = moved(tree.dims, MOST_DIMENSIONS * second)
    for d in range(tree.n_dims[second]):
        if not has(in_first, dims[d]):
            _put(tree, OF_SECOND, dims[d])
    a, b, s = sizes[0], sizes[1], sizes[2]
    fast = OF_FIRST if a >= b else OF_SECOND
    if s > max(a, b):
        fast = OF_BOTH
    target = moved(tree.dims, MOST_DIMENSIONS * result)
    if fast == OF_FIRST:
        _line_up(tree, target, tree.n_dims, result, OF_FIRST, OF_SECOND, OF_BOTH, MEETING)
    elif fast == OF_SECOND:
        _line_up(tree, target, tree.n_dims, result, OF_SECOND, OF_FIRST, OF_BOTH, MEETING)
    else:
        _line_up(tree, target, tree.n_dims, result, OF_BOTH, OF_FIRST, OF_SECOND, MEETING)
    return fast, a, b, s, lengths[MEETING]


@inlined
def _put(tree: Tree, group: int, rank: int) -> None:
    at = tree.groups[4 + group]
    tree.members[MOST_DIMENSIONS * group + at] = rank
    tree.groups[4 + group] = at + 1
    tree.groups[group] *= tree.size[rank]


@inlined
def _line_up(
    tree: Tree,
    target: Integers,
    counts: Integers,
    table: int,
    one: int,
    two: int,
    three: int,
    four: int,
) -> None:
    """Write the members of groups one after the other."""
    at = 0
    for i in range(4):
        group = one if i == 0 else two if i == 1 else three if i == 2 else four
        if group >= 0:
            for j in range(tree.groups[4 + group]):
                target[at] = tree.members[MOST_DIMENSIONS * group + j]
                at += 1
    counts[table] = at


@inlined
def turn(tree: Tree, operation: int, fast: int, tape: Floats, into: Floats, back: bool) -> None:
    """Turn both tables of a join, or pull derivatives back to them."""
    own = moved(tree.operations, OPERATION_COLUMNS * operation)
    order, n = moved(tree.turned, 0), moved(tree.turned, MOST_DIMENSIONS)
    for which in range(2):
        only = OF_SECOND if which else OF_FIRST
        if fast == OF_BOTH:
            _line_up(tree, order, n, 0, OF_BOTH, only, -1, MEETING)
        else:
            _line_up(tree, order, n, 0, only, OF_BOTH, -1, MEETING)
        table = own[SECOND] if which else own[FIRST]
        whole, turned = moved(tape, tree.start[table]), moved(into, own[READY if which else TURNED])
        length = tree.length[table]
        block, n_both = length >> tree.groups[4 + MEETING], tree.groups[4 + MEETING]
        if back and which:
            for i in range(n_both - 1, -1, -1):
                _shorten(turned, block * 3**i, block * 3 ** (i + 1) << (n_both - 1 - i))
        _turn_table(tree, table, order, n[0], whole, turned, back)
        if which and not back:
            for i in range(n_both):
                _extend(turned, block * 3**i, block * 3**i << (n_both - i))


@compiled
def _turn_table(
    tree: Tree, table: int, order: Integers, n: int, whole: Floats, turned: Floats, back: bool
) -> None:
    """Copy a table into another order of dimensions, or back."""
    apart()
    run, n_places, first = _lay_turn(tree, table, order, n)
    count, at, to = 1, 0, 0
    for e in range(first, n):
        count *= tree.size[order[e]]
        tree.states[e] = 0
    for _ in range(count):
        _turn_block(tree.inner, n_places, run, moved(whole, at), moved(turned, to), back)
        to += n_places * run
        for e in range(first, n):
            size, step = tree.size[order[e]], tree.strides[order[e]]
            state = tree.states[e] + 1
            if state < size:
                tree.states[e] = state
                at += step
                break
            at -= (size - 1) * step
            tree.states[e] = 0


@inlined
def _lay_turn(tree: Tree, table: int, order: Integers, n: int) -> tuple[int, int, int]:
    """Length of runs that stay as they are, places of some, how many dimensions these are."""
    dims, stride = moved(tree.dims, MOST_DIMENSIONS * table), 1
    for d in range(n):
        tree.strides[dims[d]] = stride
        stride *= tree.size[dims[d]]
    run, d = 1, 0
    while d < n and tree.strides[order[d]] == run:
        run *= tree.size[order[d]]
        d += 1
    if run < LANES:
        run, d = 1, 0
    places, n_places = tree.inner, 1
    places[0] = 0
    while d < n and n_places < INNER:
        size, step = tree.size[order[d]], tree.strides[order[d]]
        for s in range(1, size):
            for i in range(n_places):
                places[s * n_places + i] = places[i] + s * step
        n_places *= size
        d += 1
    return run, n_places, d


@inlined
def _turn_block(
    places: Integers, n_places: int, run: int, whole: Floats, turned: Floats, back: bool
) -> None:
    if run > 1:
        for j in range(n_places):
            if back:
                copy(moved(whole, places[j]), moved(turned, j * run), run)
            else:
                copy(moved(turned, j * run), moved(whole, places[j]), run)
    elif back:
        for j in range(n_places):
            whole[places[j]] = turned[j]
    else:
        for j in range(n_places):
            turned[j] = whole[places[j]]


@inlined
def _extend(array: Floats, stride: int, length: int) -> None:
    """Give pairs of blocks their sum as a third block, in place: the last pair first."""
    for pair in range(length // (2 * stride) - 1, -1, -1):
        old, new = moved(array, 2 * stride * pair), moved(array, 3 * stride * pair)
        for i in range(stride):
            new[2 * stride + i] = old[i] + old[stride + i]
        if pair == 1:
            # The new place reaches into the old one.
            for i in range(2 * stride - 1, -1, -1):
                new[i] = old[i]
        elif pair:
            copy(new, old, 2 * stride)


@inlined
def _shorten(array: Floats, stride: int, length: int) -> None:
    """Transpose of `_extend`."""
    for pair in range(length // (3 * stride)):
        old, new = moved(array, 3 * stride * pair), moved(array, 2 * stride * pair)
        for i in range(stride):
            either = old[2 * stride + i]
            none, some = old[i] + either, old[stride + i] + either
            new[i], new[stride + i] = none, some
