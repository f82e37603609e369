"""Expected counts of all families, summed over cases: one sweep up and one down a tile of cases.

The expected count of an entry is the entry times d log P(evidence) / d entry (Darwiche 2003), so
that the derivative of the evidence, pulled down the tree once, gives all of them. Beliefs are
passed by division (Jensen, Lauritzen and Olesen 1990); what is added up over the cases are the
joint states of cliques, and families are read from the sums: no table a case is written.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayesdx.inference.arrays import FloatArray
from bayesdx.inference.general.factors import FactorNetwork
from bayesdx.inference.general.family_tile import FamilyTile, StateCodes
from bayesdx.inference.general.family_tree import FamilyTree, slices_of

#: Bytes of a tile, and the cases it has at least and at most: calls cost more than far memory.
TILE_BYTES, NARROWEST, WIDEST = float(16 << 20), 16, 1024


class FamilyCounts:
    """Counts the families of a tree over cases; not to be shared between threads.

    Parameters
    ----------
    problem : FactorNetwork
        Its tables say only which shapes they have.
    tree : FamilyTree
    memory_limit : float
        Bytes that a tile of cases may take.
    """

    def __init__(self, problem: FactorNetwork, tree: FamilyTree, memory_limit: float) -> None:
        self.tree, self._cards = tree, problem.cards
        self._shapes = [factor.table.shape for factor in problem.factors]
        picked = [f.source for clique in tree.cliques for f in clique.picked]
        self._slices = {f: slices_of(problem, tree, f) for f in (*picked, *tree.observed)}
        widest = max((clique.rows for clique in tree.cliques), default=1)
        shared = sum(clique.separators for clique in tree.cliques)
        states = sum(problem.cards[v] for v in tree.soft)
        rest = sum(self._slices[f].shape[0] for f in picked)
        self._each = 8.0 * (tree.rows + 2 * shared + 2 * widest + states + rest + 8)
        fitting = min(max(int(TILE_BYTES / self._each), NARROWEST), WIDEST)
        self.width = max(1, min(fitting, int(0.5 * memory_limit / self._each)))
        self._bound: dict[int, FamilyTile] = {}

    def observed_counts(self, states: StateCodes, weights: FloatArray) -> dict[int, FloatArray]:
        """Count the factors that every case observes whole: weights (N,) by cell."""
        found = {}
        for f in self.tree.observed:
            one = self._slices[f]
            place = one.strides @ states[list(self.tree.sliced)]
            counts = np.bincount(place, weights=weights, minlength=one.shape[1])
            found[f] = one.restored(counts.astype(np.float64), self._shapes[f])
        return found

    def observed_logs(self, tables: Sequence[FloatArray], states: StateCodes) -> FloatArray:
        """Log of the product of these factors in each case, (N,); -inf where it is 0."""
        logs = np.zeros(states.shape[1])
        with np.errstate(divide="ignore"):
            for f in self.tree.observed:
                one = self._slices[f]
                place = one.strides @ states[list(self.tree.sliced)]
                logs += np.log(one.table(tables[f]))[0, place]
        return logs

    def add(
        self,
        tables: Sequence[FloatArray],
        states: StateCodes,
        weights: FloatArray,
        counts: Sequence[FloatArray],
    ) -> FloatArray:
        """Add the expected counts of the cases to ``counts``; return their log evidence.

        Parameters
        ----------
        tables : sequence of array
            One a factor.
        states : signed integer array (V, N)
            State positions of all variables, -1 unknown; contiguous.
        weights : array (N,)
            How often each case counts.
        counts : sequence of array
            One a factor, of its shape; changed in place.

        Returns
        -------
        array (N,)
            Natural log of what the tree makes of the evidence, without the factors that are
            observed whole; -inf where it is 0, and such cases count nothing.
        """
        n = states.shape[1]
        logs = np.zeros(n)
        if not self.tree.cliques or not n:
            return logs
        width = -(-n // -(-n // self.width))
        if width not in self._bound:
            self._bound.clear()
            self._bound[width] = FamilyTile(self.tree, self._slices, self._cards, width)
        tile = self._bound[width]
        tile.load(tables)
        with np.errstate(all="ignore"):  # products of zeros and of tiny numbers
            for first in range(0, n, width):
                # The last tile begins earlier; what was counted before has no weight there.
                at = min(first, n - width)
                part = slice(at, at + width)
                fresh = weights[part].copy()
                fresh[: first - at] = 0.0
                logs[part] = tile.sweep(states[:, part], fresh)
        tile.collect(counts)
        return logs
