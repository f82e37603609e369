"""A node summed out of a table of a tree, and the way back."""

from __future__ import annotations

from bayesdx.inference.noisy.jit.axis_kernels import dot
from bayesdx.inference.noisy.jit.run_kernels import add_scaled
from bayesdx.inference.noisy.jit.tree_memory import (
    FIRST,
    MOST_DIMENSIONS,
    OPERATION_COLUMNS,
    RESULT,
    SECOND,
    Tree,
)
from bayesdx.inference.typed import Floats, apart, compiled, inlined, moved


@compiled
def close(tree: Tree, operation: int, tape: Floats) -> float:
    """Sum a node out, its states weighed; return what the result was divided by."""
    apart()
    own = moved(tree.operations, OPERATION_COLUMNS * operation)
    table, rank, result = own[FIRST], own[SECOND], own[RESULT]
    source, target = moved(tape, tree.start[table]), moved(tape, tree.start[result])
    weights, size = moved(tree.weights, tree.n_marks * rank), tree.size[rank]
    stride, n_dims = stride_of(tree, table, rank), 0
    before, after = (
        moved(tree.dims, MOST_DIMENSIONS * table),
        moved(tree.dims, MOST_DIMENSIONS * result),
    )
    for d in range(tree.n_dims[table]):
        if before[d] != rank:
            after[n_dims] = before[d]
            n_dims += 1
    tree.n_dims[result] = n_dims
    length, most = tree.length[result], 0.0
    for block in range(length // stride):
        into, out = moved(target, block * stride), moved(source, block * stride * size)
        for i in range(stride):
            into[i] = weights[0] * out[i]
        for s in range(1, size):
            add_scaled(into, moved(out, s * stride), weights[s], stride)
    for i in range(length):
        most = target[i] if target[i] > most else most
    if most > 0.0:
        for i in range(length):
            target[i] /= most
    return most


@compiled
def pull_close(tree: Tree, operation: int, tape: Floats, factor: float) -> None:
    """Pull derivatives back through `close`; note those by the weights."""
    apart()
    own = moved(tree.operations, OPERATION_COLUMNS * operation)
    table, rank, result = own[FIRST], own[SECOND], own[RESULT]
    source, behind = moved(tape, tree.start[table]), moved(tape, tree.start[result])
    size = tree.size[rank]
    weights, derived = (
        moved(tree.weights, tree.n_marks * rank),
        moved(tree.derived, tree.n_marks * rank),
    )
    stride, length = stride_of(tree, table, rank), tree.length[result]
    for i in range(length):
        behind[i] *= factor
    for s in range(size):
        derived[s] = 0.0
    for block in range(length // stride):
        out = moved(behind, block * stride)
        for s in range(size):
            at = (block * size + s) * stride
            into, weight = moved(source, at), weights[s]
            derived[s] += dot(out, into, stride)
            for i in range(stride):
                into[i] = weight * out[i]


@inlined
def stride_of(tree: Tree, table: int, rank: int) -> int:
    """Entries of a table from one state of a node to the next."""
    dims, stride, d = moved(tree.dims, MOST_DIMENSIONS * table), 1, 0
    while dims[d] != rank:
        stride *= tree.size[dims[d]]
        d += 1
    return stride
