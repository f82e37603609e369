"""A tile of cases in a tree of families: its arrays, and both sweeps as bound array calls.

All arrays are (rows, B), as those of a plan (`instructions.py`). Upward, a clique multiplies what
its cases observed, the messages from below and the numbers of its tables, and sums the product to
its message, scaled to a largest entry of 1. Downward, the belief of a parent divided by the message
that is in it makes the product of the child its belief.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.general.family_tree import Entries, FamilyTree, Slices
from bayesdx.inference.general.instructions import Call, linear_map
from bayesdx.inference.general.potentials import incidence

#: State positions of any width, -1 unknown.
StateCodes = NDArray[np.signedinteger[Any]]
#: Messages that are multiplied before their product is scaled too.
SCALED_AFTER = 4
#: What is divided by is at least this: where it is less, the belief is 0.
LEAST = 1e-300


class FamilyTile:
    """Arrays for B cases, written again and again.

    Parameters
    ----------
    tree : FamilyTree
    slices : mapping of int to Slices
        Of every factor of which a case picks a slice.
    cards : tuple of int
    width : int
        B.
    """

    def __init__(
        self, tree: FamilyTree, slices: Mapping[int, Slices], cards: tuple[int, ...], width: int
    ) -> None:
        self._tree, self._slices = tree, slices
        cliques = tree.cliques
        self._product = [np.ones((clique.rows, width)) for clique in cliques]
        self._message = [np.ones((clique.separators, width)) for clique in cliques]
        self._numbers = [np.ones((clique.rows, 1)) for clique in cliques]
        self._sums = [np.zeros(clique.rows) for clique in cliques]
        self._seen = {v: np.ones((cards[v], width)) for v in tree.soft}
        self._indicators = {v: np.c_[np.eye(cards[v]), np.ones(cards[v])] for v in tree.soft}
        self._picked = [f.source for clique in cliques for f in clique.picked]
        self._picks = {f: np.ones((slices[f].shape[0], width)) for f in self._picked}
        self._picked_numbers = {f: np.ones(slices[f].shape) for f in self._picked}
        self._picked_sums = {f: np.zeros(slices[f].shape) for f in self._picked}
        self._work = np.ones((max(clique.rows for clique in cliques), width))
        self._weights = np.zeros(width)
        self._scales: list[FloatArray] = []
        self._message_scale: dict[int, FloatArray] = {}
        up = [call for c in reversed(tree.preorder) for call in self._upward(c)]
        down = [call for c in tree.preorder for call in self._downward(c)]
        self._calls = up + down
        self._roots = [c for c in tree.preorder if cliques[c].parent < 0]

    def load(self, tables: Sequence[FloatArray]) -> None:
        """Take in the numbers of all factors, and begin to count."""
        for c, clique in enumerate(self._tree.cliques):
            numbers = self._numbers[c][:, 0]
            numbers.fill(1.0)
            for one in clique.whole:
                numbers *= tables[one.source].ravel()[one.index]
            self._sums[c].fill(0.0)
        for f in self._picked:
            self._picked_numbers[f] = self._slices[f].table(tables[f])
            self._picked_sums[f].fill(0.0)

    def sweep(self, states: StateCodes, weights: FloatArray) -> FloatArray:
        """Count B cases, states (V, B); return their log evidence (B,)."""
        sliced = states[list(self._tree.sliced)]
        places = {f: self._slices[f].strides @ sliced for f in self._picked}
        for v, seen in self._seen.items():
            # State -1, unknown, wraps round to the last column: ones.
            self._indicators[v].take(states[v], 1, seen, "wrap")
        for f, place in places.items():
            self._picked_numbers[f].take(place, 1, self._picks[f], "clip")
        self._weights[:] = weights
        for function, arguments in self._calls:
            function(*arguments)
        for f, place in places.items():
            # Where the beliefs of a case stand once they are told apart by the slices.
            rest, count = self._slices[f].shape
            cells = (np.arange(rest)[:, None] * count + place).ravel()
            told = (self._picks[f] * self._weights).ravel()
            added = np.bincount(cells, weights=told, minlength=rest * count)
            self._picked_sums[f] += added.reshape(rest, count)
        logs: FloatArray = np.log(np.array(self._scales)).sum(axis=0)
        for c in self._roots:
            logs += np.log(self._message[c][0])
        return logs

    def collect(self, counts: Sequence[FloatArray]) -> None:
        """Add what was counted since `load` to arrays of the shapes of the factors."""
        for c, clique in enumerate(self._tree.cliques):
            for one in clique.whole:
                found = counts[one.source]
                cells = np.bincount(one.index, weights=self._sums[c], minlength=found.size)
                found += cells.reshape(found.shape)
        for f in self._picked:
            counts[f] += self._slices[f].restored(self._picked_sums[f], counts[f].shape)

    def _upward(self, c: int) -> list[Call]:
        clique, product = self._tree.cliques[c], self._product[c]
        read = [(self._seen[one.source], one) for one in clique.softs]
        read += [(self._picks[one.source], one) for one in clique.picked]
        read += [(self._message[one.source], one) for one in clique.children]
        calls = self._begun(product, self._numbers[c], read)
        for at, (source, one) in enumerate(read, start=1):
            calls += self._times(product, source, one)
            if at % SCALED_AFTER == 0 and at < len(read):
                calls += self._scaled(product)
        calls += _summed(clique.up, product, self._message[c])
        calls += self._scaled(self._message[c])
        self._message_scale[c] = self._scales[-1]
        return calls

    def _begun(
        self, product: FloatArray, numbers: FloatArray, read: list[tuple[FloatArray, Entries]]
    ) -> list[Call]:
        """Multiply the numbers of a clique by one of what is read, which is taken from the list."""
        for at, (source, one) in enumerate(read):
            repeated = repeats(one.index, len(source))
            if repeated is not None:
                del read[at]
                axes = product.reshape(*repeated, -1)
                seen = source.reshape(1, len(source), 1, -1)
                return [(np.multiply, (numbers.reshape(*repeated, 1), seen, axes))]
        if not read:
            return [(np.copyto, (product, numbers))]
        source, one = read.pop()
        return [
            (source.take, (one.index, 0, product, "clip")),
            (np.multiply, (product, numbers, product)),
        ]

    def _times(self, product: FloatArray, source: FloatArray, entries: Entries) -> list[Call]:
        """Multiply a product by what belongs to each of its rows."""
        repeated = repeats(entries.index, len(source))
        if repeated is not None:
            # Broadcast: half of the memory that a gather and a product go through.
            width = product.shape[1]
            axes = product.reshape(*repeated, width)
            return [(np.multiply, (axes, source.reshape(1, -1, 1, width), axes))]
        work = self._work[: len(product)]
        return [
            (source.take, (entries.index, 0, work, "clip")),
            (np.multiply, (product, work, product)),
        ]

    def _scaled(self, values: FloatArray) -> list[Call]:
        """Divide by the largest entry and remember it; zeros stay."""
        scale = np.ones(len(self._weights))
        self._scales.append(scale)
        return [
            (np.maximum.reduce, (values, 0, None, scale, False, LEAST)),
            (np.divide, (values, scale, values)),
        ]

    def _downward(self, c: int) -> list[Call]:
        clique, product = self._tree.cliques[c], self._product[c]
        calls: list[Call] = []
        if clique.parent < 0:
            calls.append((np.divide, (product, self._message_scale[c], product)))
        else:
            calls += self._times(product, self._message[c], Entries(c, clique.up))
        for one in clique.children:
            message = self._message[one.source]
            belief = np.ones(message.shape)
            calls += _summed(one.index, product, belief)
            calls += [
                (np.fmax, (message, LEAST, message)),
                (np.divide, (belief, message, message)),
                (np.divide, (message, self._message_scale[one.source], message)),
            ]
        for f in clique.picked:
            calls += _summed(f.index, product, self._picks[f.source])
        counted = np.zeros(len(product))
        calls += [
            (np.matmul, (product, self._weights, counted)),
            (np.add, (self._sums[c], counted, self._sums[c])),
        ]
        return calls


def repeats(index: IntArray, size: int) -> tuple[int, int, int] | None:
    """(outer, size, inner) where an index is 0 to size - 1, each ``inner`` times, again and again.

    None where it is anything else.
    """
    rows = len(index)
    other = np.flatnonzero(index != index[0])
    inner = int(other[0]) if len(other) else rows
    if index[0] != 0 or rows % (size * inner):
        return None
    shape = (rows // (size * inner), size, inner)
    expected = np.broadcast_to(np.arange(size)[None, :, None], shape).ravel()
    return shape if (index == expected).all() else None


def _summed(index: IntArray, source: FloatArray, out: FloatArray) -> list[Call]:
    """Sum rows to the places that an index names."""
    rows, repeated = len(index), repeats(index, len(out))
    if repeated is not None and repeated[0] * repeated[2] > 1:
        axes = source.reshape(*repeated, -1)
        return [(np.add.reduce, (axes, (0, 2), None, out))]
    ones = np.ones(rows)
    return linear_map(incidence(index, np.arange(rows), ones, (len(out), rows))).calls(source, out)
