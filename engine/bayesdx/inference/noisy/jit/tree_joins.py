"""Two tables of a tree joined, and the way back.

Along the dimension of a finding (or leak) a table holds what its causes do to it: n where none of
them reaches it, p where one does. A finding on which two tables act is reached where either does,

    n = n1 n2        p = p1 (n2 + p2) + n1 p2

Only sums of products of non-negative numbers: no digits are lost, however seldom it is reached. All
other dimensions go together state by state.

Both tables are turned before (`tree_turns`). For each of 3^k joint entries of findings on which
both act, what is left is a *block* of products: a entries of the first table only, times b of the
second only, for each of s states of what both have.
"""

from __future__ import annotations

from bayesdx.inference.noisy.jit.run_kernels import (
    add_products,
    add_scaled,
    pull_products,
    pull_scaled,
)
from bayesdx.inference.noisy.jit.tree_memory import (
    FIRST,
    INNER,
    OPERATION_COLUMNS,
    READY,
    RESULT,
    TURNED,
    Tree,
)
from bayesdx.inference.noisy.jit.tree_turns import OF_BOTH, OF_FIRST, arrange, turn
from bayesdx.inference.typed import Floats, apart, compiled, inlined, moved

#: Blocks of fewer products are gone through by their places.
_SMALL = 12


@compiled
def _lay_places(tree: Tree, fast: int, a: int, b: int, s: int, k: int) -> tuple[int, int]:
    """List entries of a small block that go together, and of some findings: how many of each."""
    apart()
    columns, n_places = INNER * tree.n_marks, 0
    places = tree.inner
    for z in range(s):
        for y in range(b):
            for x in range(a):
                if fast == OF_BOTH:
                    one, two, three = x * s + z, y * s + z, (y * a + x) * s + z
                elif fast == OF_FIRST:
                    one, two, three = z * a + x, z * b + y, (z * b + y) * a + x
                else:
                    one, two, three = z * a + x, z * b + y, (z * a + x) * b + y
                places[n_places], places[columns + n_places] = one, two
                places[2 * columns + n_places] = three
                n_places += 1
    done, one, two, three = 0, a * s, b * s, a * b * s
    while done < k and n_places < INNER:
        for i in range(n_places):
            for state in range(1, 3):
                at = state * n_places + i
                places[at] = places[i] + (2 - state) * one
                places[columns + at] = places[columns + i] + (3 - state) * two
                places[2 * columns + at] = places[2 * columns + i] + three
        n_places *= 3
        done, one, two, three = done + 1, 2 * one, 3 * two, 2 * three
    return n_places, done


@inlined
def _advance(
    tree: Tree, done: int, k: int, sizes: tuple[int, int, int], places: tuple[int, int, int]
) -> tuple[int, int, int]:
    """Places of the next joint entry of findings; the first one after the last."""
    (one, two, three), (a, b, c) = sizes, places
    for d in range(done, k):
        state = tree.states[d]
        if state == 0:
            tree.states[d] = 1
            return a + one, b + 2 * two, c + three
        if state == 1:
            tree.states[d] = 2
            return a - one, b - two, c
        tree.states[d] = 0
        b, c = b - two, c - three
        one, two, three = 2 * one, 3 * two, 2 * three
    return a, b, c


@inlined
def _start(tree: Tree, done: int, k: int) -> int:
    for d in range(done, k):
        tree.states[d] = 0
    return int(3 ** (k - done))


@compiled
def join(tree: Tree, operation: int, tape: Floats) -> None:
    """Join two tables."""
    apart()
    own = moved(tree.operations, OPERATION_COLUMNS * operation)
    fast, a, b, s, k = arrange(tree, operation)
    turn(tree, operation, fast, tape, tape, False)
    one, two = moved(tape, own[TURNED]), moved(tape, own[READY])
    result, columns = moved(tape, tree.start[own[RESULT]]), INNER * tree.n_marks
    for i in range(tree.length[own[RESULT]]):
        result[i] = 0.0
    small, n_places, done = a * b * s < _SMALL, 0, 0
    if small:
        n_places, done = _lay_places(tree, fast, a, b, s, k)
    sizes = (a * s << done, b * s * 3**done, a * b * s << done)
    places = (0, 0, 0)
    of_one, of_two, of_result = (
        tree.inner,
        moved(tree.inner, columns),
        moved(tree.inner, 2 * columns),
    )
    for _ in range(_start(tree, done, k)):
        x, y, z = moved(one, places[0]), moved(two, places[1]), moved(result, places[2])
        if small:
            for j in range(n_places):
                z[of_result[j]] += x[of_one[j]] * y[of_two[j]]
        elif fast == OF_BOTH:
            for j in range(b):
                for i in range(a):
                    add_products(moved(z, (j * a + i) * s), moved(x, i * s), moved(y, j * s), s)
        elif fast == OF_FIRST:
            _add_outer(z, x, y, a, b, s)
        else:
            _add_outer(z, y, x, b, a, s)
        places = _advance(tree, done, k, sizes, places)


@inlined
def _add_outer(z: Floats, long: Floats, short: Floats, n_long: int, n_short: int, s: int) -> None:
    """Add products of all pairs of entries, for each of ``s`` states that both are in."""
    for j in range(s):
        for i in range(n_short):
            at = j * n_short + i
            add_scaled(moved(z, at * n_long), moved(long, j * n_long), short[at], n_long)


@compiled
def pull_join(tree: Tree, operation: int, tape: Floats, adjoints: Floats) -> None:
    """Pull derivatives back through `join`.

    Those by a table take its place; ``adjoints`` is for the turned tables, by their places.
    """
    apart()
    own = moved(tree.operations, OPERATION_COLUMNS * operation)
    fast, a, b, s, k = arrange(tree, operation)
    if tree.kept[0]:
        turn(tree, operation, fast, tape, tape, False)
    one, two = moved(tape, own[TURNED]), moved(tape, own[READY])
    by_one, by_two = moved(adjoints, own[TURNED]), moved(adjoints, own[READY])
    by_result = moved(tape, tree.start[own[RESULT]])
    for i in range(tree.length[own[FIRST]]):
        by_one[i] = 0.0
    for i in range(b * s * 3**k):
        by_two[i] = 0.0
    small, n_places, done = a * b * s < _SMALL, 0, 0
    if small:
        n_places, done = _lay_places(tree, fast, a, b, s, k)
    sizes = (a * s << done, b * s * 3**done, a * b * s << done)
    places = (0, 0, 0)
    for _ in range(_start(tree, done, k)):
        x, y, z = moved(one, places[0]), moved(two, places[1]), moved(by_result, places[2])
        by_x, by_y = moved(by_one, places[0]), moved(by_two, places[1])
        if small:
            _pull_places(tree, n_places, by_x, by_y, z, x, y)
        elif fast == OF_BOTH:
            for j in range(b):
                for i in range(a):
                    behind, of_x, of_y = moved(z, (j * a + i) * s), i * s, j * s
                    left, right = moved(x, of_x), moved(y, of_y)
                    pull_products(moved(by_x, of_x), moved(by_y, of_y), behind, left, right, s)
        elif fast == OF_FIRST:
            _pull_outer(by_x, by_y, z, x, y, a, b, s)
        else:
            _pull_outer(by_y, by_x, z, y, x, b, a, s)
        places = _advance(tree, done, k, sizes, places)
    turn(tree, operation, fast, tape, adjoints, True)


@inlined
def _pull_places(
    tree: Tree, n_places: int, by_x: Floats, by_y: Floats, z: Floats, x: Floats, y: Floats
) -> None:
    columns = INNER * tree.n_marks
    for j in range(n_places):
        p, q = tree.inner[j], tree.inner[columns + j]
        behind = z[tree.inner[2 * columns + j]]
        by_x[p] += behind * y[q]
        by_y[q] += behind * x[p]


@inlined
def _pull_outer(
    by_long: Floats,
    by_short: Floats,
    z: Floats,
    long: Floats,
    short: Floats,
    n_long: int,
    n_short: int,
    s: int,
) -> None:
    """Transpose of `_add_outer`."""
    for j in range(s):
        here, by_here = moved(long, j * n_long), moved(by_long, j * n_long)
        for i in range(n_short):
            at = j * n_short + i
            behind = moved(z, at * n_long)
            by_short[at] += pull_scaled(by_here, behind, here, short[at], n_long)
