"""Runs a plan's flat code over cases, W side by side, one vector register or a few a row.

The arithmetic is that of `bayesdx.inference.general.instructions`. Every block of W cases goes
through the whole program before the next one begins, in memory that stays in cache. Two widths
exist: 16, for batches, and 1, for a case alone.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bayesdx.inference.general.machine.flat_code import Op
from bayesdx.inference.typed import (
    Bytes,
    Floats,
    Indices,
    Integers,
    bind,
    called,
    compiled,
    integers_at,
    kept,
    moved,
    sources_digest,
)
from bayesdx.inference.vector_rows import (
    agree,
    load,
    over,
    plus,
    spread,
    store,
    times,
    zeros_of_1,
    zeros_of_16,
)

# Constants of the kernel: compiled code knows no enumerations.
DENSE, SUMS, PAIRS, INNER, SCALE, MULTIPLY, LOOK_UP = map(int, list(Op)[:7])
GATHER, PICK, RESCALE, UNSCALE, EVIDENCE, _ = map(int, list(Op)[7:])


class Program(NamedTuple):
    """What is read, see `FlatCode`, and the memory of ``width`` cases side by side."""

    width: int
    n_ops: int
    ops: Integers
    indices: Indices
    constants: Floats
    n_loads: int
    loads: Integers
    n_scalars: int
    scalars: Integers
    scales: int
    n_scales: int
    rows: Floats


class ProgramCases(NamedTuple):
    """N cases, N a multiple of W, and where their answers go.

    ``states`` (V, N), ``soft`` (S, N) likelihoods, of which ``soft_first`` (L,) tells the first row
    of each vector that is loaded, -1 where states are; ``outs`` (T,) rows that are posteriors
    (T, N); ``known`` (K, 2) variables that all have observed and their first posterior;
    ``failed`` (N,) where numbers left the range of floats. ``clear``, ``test`` are addresses of
    the C library's `feclearexcept` and `fetestexcept`, ``bits`` what they are asked.
    """

    n_cases: int
    states: Integers
    soft: Floats
    soft_first: Integers
    n_outs: int
    outs: Integers
    n_known: int
    known: Integers
    posteriors: Floats
    log_evidence: Floats
    failed: Bytes
    clear: int
    test: int
    bits: int


program_at = bind(Program, 0)
batch_at = bind(ProgramCases, len(Program._fields))


@compiled
def _dense(m: Floats, matrix: Floats, o: int, s: int, rows: int, cells: int, like: Any) -> None:
    """Multiply a matrix, four rows at a time in registers."""
    done = 0
    while done + 4 <= rows:
        a, b = moved(matrix, done * cells), moved(matrix, (done + 1) * cells)
        c, d = moved(matrix, (done + 2) * cells), moved(matrix, (done + 3) * cells)
        of_a = of_b = of_c = of_d = like
        for i in range(cells):
            x = load(m, s + i, like)
            of_a = plus(of_a, times(spread(a[i], like), x))
            of_b = plus(of_b, times(spread(b[i], like), x))
            of_c = plus(of_c, times(spread(c[i], like), x))
            of_d = plus(of_d, times(spread(d[i], like), x))
        store(m, o + done, of_a)
        store(m, o + done + 1, of_b)
        store(m, o + done + 2, of_c)
        store(m, o + done + 3, of_d)
        done += 4
    while done < rows:
        a = moved(matrix, done * cells)
        total = like
        for i in range(cells):
            total = plus(total, times(spread(a[i], like), load(m, s + i, like)))
        store(m, o + done, total)
        done += 1


@compiled
def _sums(m: Floats, values: Floats, starts: Indices, at: Indices, op: Any, like: Any) -> None:
    """Multiply a sparse matrix in compressed rows."""
    o, s = op[1], op[2]
    for r in range(op[3]):
        total = like
        for q in range(starts[r], starts[r + 1]):
            total = plus(total, times(spread(values[q], like), load(m, s + at[q], like)))
        store(m, o + r, total)


@compiled
def _pairs(m: Floats, values: Floats, starts: Indices, at: Indices, op: Any, like: Any) -> None:
    """Multiply a sparse matrix with the products of two rows each."""
    o, s, t, n = op[1], op[2], op[3], op[4]
    other = moved(at, starts[n])
    for r in range(n):
        total = like
        for q in range(starts[r], starts[r + 1]):
            x = times(spread(values[q], like), load(m, s + at[q], like))
            total = plus(total, times(x, load(m, t + other[q], like)))
        store(m, o + r, total)


@compiled
def _inner(m: Floats, starts: Indices, at: Indices, op: Any, like: Any) -> None:
    """Add up products of two rows each."""
    o, s, t, n = op[1], op[2], op[3], op[4]
    other = moved(at, starts[n])
    for r in range(n):
        total = like
        for q in range(starts[r], starts[r + 1]):
            total = plus(total, times(load(m, s + at[q], like), load(m, t + other[q], like)))
        store(m, o + r, total)


@compiled
def _products(program: Program, op: Integers, like: Any) -> None:
    """Multiply and look up rows."""
    m, kind, o, s = program.rows, op[0], op[1], op[2]
    if kind == MULTIPLY:
        for r in range(op[4]):
            store(m, o + r, times(load(m, s + r, like), load(m, op[3] + r, like)))
    elif kind == LOOK_UP:
        a, b = moved(program.indices, op[5]), moved(program.indices, op[6])
        for r in range(op[4]):
            store(m, o + r, times(load(m, s + a[r], like), load(m, op[3] + b[r], like)))
    elif kind == SCALE:
        values = moved(program.constants, op[4])
        for r in range(op[3]):
            store(m, o + r, times(spread(values[r], like), load(m, s + r, like)))
    else:
        a = moved(program.indices, op[4])
        for r in range(op[3]):
            store(m, o + r, load(m, s + a[r], like))


@compiled
def _pick(program: Program, batch: ProgramCases, op: Integers, first: int, width: int) -> None:
    """Write the slice of a table that each case has observed."""
    values = moved(program.constants, op[4])
    for j in range(width):
        at = _place(program, batch, op[6], first + j)
        for r in range(op[3]):
            program.rows[(op[1] + r) * width + j] = values[r * op[5] + at]


@compiled
def _place(program: Program, batch: ProgramCases, strides: int, case: int) -> int:
    """Where in a table a case's states point."""
    pairs, at = moved(program.indices, strides), 0
    for i in range(pairs[0]):
        at += batch.states[pairs[1 + 2 * i] * batch.n_cases + case] * pairs[2 + 2 * i]
    return at


@compiled
def _scales(m: Floats, op: Integers, width: int, like: Any) -> None:
    """Rescale a message by its largest entry, or divide by what was taken out."""
    o, d = op[1], op[4]
    if op[0] == RESCALE:
        for j in range(width):
            top = 0.0
            for r in range(op[3]):
                top = max(top, m[(o + r) * width + j])
            m[d * width + j] = top if top != 0.0 else 1.0
    scale = load(m, d, like)
    for r in range(op[3]):
        store(m, o + r, over(load(m, o + r, like), scale))


@compiled
def _run(program: Program, batch: ProgramCases, first: int, width: int, like: Any) -> None:
    """All instructions."""
    m = program.rows
    for k in range(program.n_ops):
        op = moved(program.ops, 8 * k)
        kind = op[0]
        if kind == DENSE:
            _dense(m, moved(program.constants, op[5]), op[1], op[2], op[3], op[4], like)
        elif kind == SUMS:
            starts, at = moved(program.indices, op[4]), moved(program.indices, op[5])
            _sums(m, moved(program.constants, op[6]), starts, at, op, like)
        elif kind == PAIRS:
            starts, at = moved(program.indices, op[5]), moved(program.indices, op[6])
            _pairs(m, moved(program.constants, op[7]), starts, at, op, like)
        elif kind == INNER:
            _inner(m, moved(program.indices, op[5]), moved(program.indices, op[6]), op, like)
        elif kind <= GATHER:
            _products(program, op, like)
        elif kind == PICK:
            _pick(program, batch, op, first, width)
        elif kind <= UNSCALE:
            _scales(m, op, width, like)
        elif kind == EVIDENCE:
            store(m, op[1], load(m, op[2], like))
        else:
            total = load(m, op[1] + op[3] - 1, like)
            for r in range(op[3] - 1):
                store(m, op[1] + r, over(load(m, op[1] + r, like), total))


@compiled
def _load(program: Program, batch: ProgramCases, first: int, like: Any) -> None:
    """Write the likelihoods of a block of cases."""
    m, n = program.rows, batch.n_cases
    for q in range(program.n_loads):
        v, row, soft = program.loads[3 * q], program.loads[3 * q + 1], batch.soft_first[q]
        for s in range(program.loads[3 * q + 2]):
            if soft >= 0:
                store(m, row + s, load(moved(batch.soft, (soft + s) * n + first), 0, like))
            else:
                store(m, row + s, agree(moved(batch.states, v * n + first), s, like))


@compiled
def _write(program: Program, batch: ProgramCases, first: int, width: int, like: Any) -> None:
    """Write posteriors and log evidence; zeros where the evidence is impossible."""
    m, n = program.rows, batch.n_cases
    for i in range(batch.n_outs):
        store(moved(batch.posteriors, i * n + first), 0, load(m, batch.outs[i], like))
    for j in range(width):
        case, log, product = first + j, 0.0, 1.0
        for i in range(program.n_scales):
            product *= m[(program.scales + i) * width + j]
            if product < 1e-200 or product > 1e200:
                log += math.log(product)
                product = 1.0
        for i in range(program.n_scalars):
            at = _place(program, batch, program.scalars[2 * i + 1], case)
            log += program.constants[program.scalars[2 * i] + at]
        log += math.log(product)
        batch.log_evidence[case] = log
        if not log > -np.inf:
            for i in range(batch.n_outs):
                batch.posteriors[i * n + case] = 0.0
            continue
        for i in range(batch.n_known):
            v, row = batch.known[2 * i], batch.known[2 * i + 1]
            batch.posteriors[(row + batch.states[v * n + case]) * n + case] = 1.0


@compiled
def _blocks(
    program: Program, batch: ProgramCases, begin: int, end: int, width: int, like: Any
) -> int:
    """Answer the cases of a range, so many side by side; return how many were not answered."""
    n_failed = 0
    for first in range(begin, end, width):
        called(batch.clear, batch.bits)
        _load(program, batch, first, like)
        _run(program, batch, first, width, like)
        failed = called(batch.test, batch.bits) != 0
        for j in range(width):
            batch.failed[first + j] = failed
        n_failed += width * failed
        _write(program, batch, first, width, like)
    return n_failed


def _make_entry(digest: str) -> Any:
    """Machine code is kept by the source of its entry; the digest stands for all other files."""

    @kept
    def run_program(address: int, begin: int, end: int) -> int:
        memory = integers_at(address)
        program, batch = program_at(memory), batch_at(memory)
        if program.width == 1:
            return _blocks(program, batch, begin, end, 1, zeros_of_1())
        return _blocks(program, batch, begin, end, 16, zeros_of_16()) + 0 * len(digest)

    return run_program


run_program = _make_entry(sources_digest(Path(__file__).parent, "../../vector_rows.py"))
