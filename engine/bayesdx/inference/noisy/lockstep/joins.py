"""Tables that act on the same findings, joined without a loss of digits; and the way back.

A table that causes have acted on has, along the axis of a finding, two components: t, nothing is
asked, and x = t (1 - Q) where those causes reach the finding, Q being the product of 1 - z. Two
such tables make ::

    t = t1 t2          x = x1 q2 + t1 x2,   q2 = t2 - x2 = Q2 t2

Multiplying q1 q2 and subtracting in the end would be cheaper, and lose all digits of what is
reached seldom. Here q2 is the only difference that is taken, of components of one table: where it
loses digits, x2 is nearly t2, and what it multiplies is at most what t1 x2 and x1 t2 add up to.
The rounding error of x relative to x is at most 3^k units for k axes, whatever they hold, and a few
units in practice.

Along k axes the second table is thus a lower triangular matrix of 3^k entries that the first one is
multiplied by, once for each component of the axes that they do not share.
"""

from __future__ import annotations

import math

import numpy as np

from bayesdx.inference.arrays import FloatArray
from bayesdx.inference.noisy.operator import component

#: Columns from which products of matrices are taken: 0.3 ns a component, products of components 4.
COLUMNS = 8
#: Axes that such a matrix spans; products of components that are made at a time.
MATRIX, AT_ONCE = 5, 1 << 18

Groups = tuple[tuple[int, ...], ...]


def spared(array: FloatArray, position: int) -> FloatArray:
    """Return q, what is not reached along an axis."""
    return _rest(array[component(position, 0)], array[component(position, 1)])


def joined(first: FloatArray, second: FloatArray, axes: tuple[int, ...]) -> FloatArray:
    """Return the table of two tables of as many dimensions, of length 1 where one has no axis.

    ``axes`` are the dimensions that both act on.
    """
    if not axes:
        result: FloatArray = first * second
        return result
    pair = _Pair(first, second, axes)
    return _restored(_product(pair.wide, pair.narrow, len(axes)), pair.lengths, pair.both)


def pulled(
    adjoint: FloatArray, first: FloatArray, second: FloatArray, axes: tuple[int, ...]
) -> tuple[FloatArray, FloatArray]:
    """Pull an adjoint back through `joined` to both tables."""
    if not axes:
        return summed_to(adjoint * second, first.shape), summed_to(adjoint * first, second.shape)
    pair = _Pair(first, second, axes)
    behind = _turned(adjoint, pair.lengths, pair.both)
    wide = _pull_wide(behind, pair.narrow, len(axes))
    narrow = _pull_narrow(behind, pair.wide, len(axes))
    found = (
        _restored(wide, pair.lengths, pair.of_wide),
        _restored(narrow, pair.lengths, pair.of_narrow),
    )
    return found if pair.first_is_wide else found[::-1]


def summed_to(array: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Sum along the dimensions that are of length 1 in a shape."""
    longer = tuple(i for i, size in enumerate(shape) if size < array.shape[i])
    result: FloatArray = array.sum(axis=longer, keepdims=True)
    return result


class _Pair:
    """Two tables as batches of matrices, the wider one of which has the columns.

    Attributes
    ----------
    wide, narrow : arrays (z, 2^k, w), (z, n, 2^k)
        Their join is (z, n, 2^k, w): z components along dimensions that are multiplied, w and n
        along those that one of them has.
    of_wide, of_narrow, both : tuples of tuples of int
        Dimensions in these places.
    """

    def __init__(self, first: FloatArray, second: FloatArray, shared: tuple[int, ...]) -> None:
        self.lengths = np.broadcast_shapes(first.shape, second.shape)
        others = [i for i in range(first.ndim) if i not in shared]
        own = [
            tuple(i for i in others if a.shape[i] > b.shape[i])
            for a, b in ((first, second), (second, first))
        ]
        common = tuple(i for i in others if first.shape[i] == second.shape[i] > 1)
        sizes = [math.prod(self.lengths[i] for i in one) for one in own]
        self.first_is_wide = sizes[0] >= sizes[1]
        (wide, left), (narrow, right) = sorted(
            zip(own, (first, second), strict=True), key=lambda one: one[1] is not first
        )[:: 1 if self.first_is_wide else -1]
        self.of_wide, self.of_narrow = (common, shared, wide), (common, narrow, shared)
        self.both = (common, narrow, shared, wide)
        self.wide = _turned(left, self.lengths, self.of_wide)
        self.narrow = _turned(right, self.lengths, self.of_narrow)


def _turned(array: FloatArray, lengths: tuple[int, ...], groups: Groups) -> FloatArray:
    """Transpose an array to groups of dimensions, one dimension a group."""
    order = [i for group in groups for i in group]
    missing = [i for i in range(array.ndim) if i not in order]
    shape = [math.prod(lengths[i] for i in group) for group in groups]
    return np.ascontiguousarray(array.transpose(order + missing)).reshape(shape)


def _restored(array: FloatArray, lengths: tuple[int, ...], groups: Groups) -> FloatArray:
    """Undo `_turned`."""
    order = [i for group in groups for i in group]
    missing = [i for i in range(len(lengths)) if i not in order]
    whole = array.reshape([*(lengths[i] for i in order), *(1 for _ in missing)])
    return whole.transpose(np.argsort(order + missing))


def _rest(none: FloatArray, some: FloatArray) -> FloatArray:
    return np.maximum(none - some, 0.0)


def _product(wide: FloatArray, narrow: FloatArray, k: int) -> FloatArray:
    """Join tables as in `_Pair`, (z, n, 2^k, w)."""
    z, n, states = narrow.shape
    if wide.shape[2] < COLUMNS:
        # Short columns: products of components, the long dimension last.
        left = np.ascontiguousarray(wide.transpose(1, 2, 0)[:, None])
        right = np.ascontiguousarray(narrow.transpose(2, 1, 0)[:, :, None])
        return _componentwise(left, right, k).transpose(3, 1, 0, 2)
    if k <= MATRIX:
        return _matrix(narrow, k) @ wide[:, None]
    half, result = states // 2, np.empty((z, n, states, wide.shape[2]))
    none, some = narrow[..., :half], narrow[..., half:]
    result[:, :, :half] = _product(wide[:, :half], none, k - 1)
    result[:, :, half:] = _product(wide[:, :half], some, k - 1)
    result[:, :, half:] += _product(wide[:, half:], _rest(none, some), k - 1)
    return result


def _pull_wide(behind: FloatArray, narrow: FloatArray, k: int) -> FloatArray:
    """Pull an adjoint, (z, n, 2^k, w), back to the wider table."""
    z, n, states, w = behind.shape
    if w < COLUMNS:
        left = np.ascontiguousarray(behind.transpose(2, 1, 3, 0))
        right = np.ascontiguousarray(narrow.transpose(2, 1, 0)[:, :, None])
        back = _pull_componentwise(left, right, k, 1)
        return back.transpose(3, 0, 2, 1).reshape(z, states, w)
    if k <= MATRIX:
        matrix = _matrix(narrow, k).reshape(z, n * states, states)
        result: FloatArray = matrix.transpose(0, 2, 1) @ behind.reshape(z, n * states, w)
        return result
    half = states // 2
    none, some = narrow[..., :half], narrow[..., half:]
    rest = _rest(none, some)
    above, below = (np.ascontiguousarray(one) for one in (behind[:, :, :half], behind[:, :, half:]))
    first = _pull_wide(above, none, k - 1)
    first += _pull_wide(below, some, k - 1)
    return np.concatenate([first, _pull_wide(below, rest, k - 1)], axis=1)


def _pull_narrow(behind: FloatArray, wide: FloatArray, k: int) -> FloatArray:
    """Pull an adjoint, (z, n, 2^k, w), back to the narrower table."""
    z, n, states, w = behind.shape
    if w < COLUMNS:
        left = np.ascontiguousarray(behind.transpose(2, 1, 3, 0))
        right = np.ascontiguousarray(wide.transpose(1, 2, 0)[:, None])
        back = _pull_componentwise(left, right, k, 2)
        return back.transpose(3, 1, 0, 2).reshape(z, n, states)
    if k <= MATRIX:
        return _matrix_pulled(behind @ wide[:, None].transpose(0, 1, 3, 2), k)
    half = states // 2
    none, some = wide[:, :half], wide[:, half:]
    above, below = behind[:, :, :half], behind[:, :, half:]
    first = _pull_narrow(above, none, k - 1)
    first += _pull_narrow(below, some, k - 1)
    rest = _pull_narrow(below, _rest(none, some), k - 1)
    return np.concatenate([first, rest], axis=2)


def _matrix(narrow: FloatArray, k: int) -> FloatArray:
    """Return what the wider table is multiplied by, (z, n, 2^k, 2^k)."""
    z, n, states = narrow.shape
    matrix, done = narrow.reshape(z * n, 1, 1, states), 1
    for _ in range(k):
        parts = matrix.reshape(z * n, done, done, 2, -1)
        none, some = parts[..., 0, :], parts[..., 1, :]
        wider = np.zeros((z * n, done, 2, done, 2, none.shape[-1]))
        wider[:, :, 0, :, 0], wider[:, :, 1, :, 0] = none, some
        wider[:, :, 1, :, 1] = _rest(none, some)
        done *= 2
        matrix = wider.reshape(z * n, done, done, -1)
    return matrix.reshape(z, n, states, states)


def _matrix_pulled(behind: FloatArray, k: int) -> FloatArray:
    """Pull an adjoint back through `_matrix`."""
    z, n, states, _ = behind.shape
    matrix, done = behind.reshape(z * n, states, states, 1), states
    for _ in range(k):
        done //= 2
        parts = matrix.reshape(z * n, done, 2, done, 2, -1)
        rest = parts[:, :, 1, :, 1]
        both = [parts[:, :, 0, :, 0] + rest, parts[:, :, 1, :, 0] - rest]
        matrix = np.stack(both, axis=3)
    return matrix.reshape(z, n, states)


def _componentwise(one: FloatArray, other: FloatArray, k: int) -> FloatArray:
    """Join tables (2^k, ...) that broadcast against each other."""
    if _fits(one, other, k):
        return _contracted(_lifted(one, k, _CARRIED) * _reached(other, k), k, 1)
    half, rest = len(one) // 2, k - 1
    none, some = other[:half], other[half:]
    after = _componentwise(one[:half], some, rest)
    after += _componentwise(one[half:], _rest(none, some), rest)
    return np.concatenate([_componentwise(one[:half], none, rest), after])


def _pull_componentwise(behind: FloatArray, other: FloatArray, k: int, axis: int) -> FloatArray:
    """Pull an adjoint back through `_componentwise` to a table of length 1 along ``axis``."""
    if _fits(behind, other, k):
        product = _lifted(behind, k, _SPREAD) * _reached(other, k)
        return _contracted(product.sum(axis=axis, keepdims=True), k, 0)
    half, left = len(behind) // 2, k - 1
    none, some = other[:half], other[half:]
    before = _pull_componentwise(behind[:half], none, left, axis)
    before += _pull_componentwise(behind[half:], some, left, axis)
    rest = _rest(none, some)
    return np.concatenate([before, _pull_componentwise(behind[half:], rest, left, axis)])


#: Which components three products along an axis take: of a table, of an adjoint.
_CARRIED, _SPREAD = (0, 0, 1), (0, 1, 1)


def _fits(one: FloatArray, other: FloatArray, k: int) -> bool:
    size = math.prod(np.broadcast_shapes(one.shape, other.shape)) * 1.5**k
    return not k or size <= AT_ONCE


def _lifted(array: FloatArray, k: int, taken: tuple[int, int, int]) -> FloatArray:
    """Take three components for two along each of k axes, (3^k, ...)."""
    done = 1
    for _ in range(k):
        parts = array.reshape(done, 2, -1, *array.shape[1:])
        array = parts[:, taken].reshape(-1, *array.shape[1:])
        done *= 3
    return array


def _reached(array: FloatArray, k: int) -> FloatArray:
    """Return components t, x and q for t and x along each of k axes, (3^k, ...)."""
    done = 1
    for _ in range(k):
        parts = array.reshape(done, 2, -1, *array.shape[1:])
        three = np.stack([parts[:, 0], parts[:, 1], _rest(parts[:, 0], parts[:, 1])], 1)
        array = three.reshape(-1, *array.shape[1:])
        done *= 3
    return array


def _contracted(array: FloatArray, k: int, at: int) -> FloatArray:
    """Sum components ``at`` and ``at + 1`` of three along each of k axes, (2^k, ...)."""
    done = 1
    for _ in range(k):
        parts = array.reshape(done, 3, -1, *array.shape[1:])
        both = parts[:, at] + parts[:, at + 1]
        two = [parts[:, 0], both] if at else [both, parts[:, 2]]
        array = np.stack(two, axis=1).reshape(-1, *array.shape[1:])
        done *= 2
    return array
