"""How much each of several players moves a value: Shapley values, and paths through an order.

A game gives every subset of k players a value, here the log-odds of a cause once these players'
observations are known. Shapley values (Shapley 1953) are the mean change that a player brings over
all orders in which the players can come; they add up to the change that all bring together, players
that do the same get the same, and one that changes nothing gets nothing. Where there are too many
players for all subsets, some may keep their order: then the mean is over the orders that do (games
under precedence constraints, Faigle and Kern 1992), which still adds up.

Letters: C games, k players that come in any order, a players that keep their order, T = 2^k subsets
with player i at bit i.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bayesdx.inference.noisy.model import BoolArray, FloatArray, IntArray

#: Shares of a Shapley value of a yes-or-no game below this are rounding.
_NOTHING = 1e-12


def shapley_values(values: FloatArray) -> FloatArray:
    """Share out what all players change together, over all orders.

    Parameters
    ----------
    values : array (C, T)
        Of each subset of the players. Infinite values must stay infinite as players are added,
        as log-odds do when a cause becomes impossible or certain.

    Returns
    -------
    array (C, k)
        Rows add up to ``values[:, -1] - values[:, 0]``. Where the last value alone is infinite the
        players that make it so in some order get that infinity and the others 0; where the first
        one is infinite already nothing changes, and all get 0.
    """
    return ordered_values(values[:, :, None])[0]


def ordered_values(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Share out what all players change together, over the orders in which some keep theirs.

    Parameters
    ----------
    values : array (C, T, a + 1)
        Of each subset of the free players, together with the first 0, 1, ... a of those that keep
        their order. On infinite values see `shapley_values`.

    Returns
    -------
    free : array (C, k)
    kept : array (C, a)
        Together they add up to ``values[:, -1, -1] - values[:, 0, 0]``.
    """
    first, last = values[:, 0, 0], values[:, -1, -1]
    settled = np.isinf(first)
    infinite = np.isinf(last) & ~settled
    game = np.where(np.isinf(values) & infinite[:, None, None], 1.0, 0.0)
    np.copyto(game, values, where=~(settled | infinite)[:, None, None])
    free, kept = _shares(game)
    reward = np.where(infinite, last, 0.0)[:, None]
    return _infinite(free, infinite, reward), _infinite(kept, infinite, reward)


def _infinite(
    shares: FloatArray, infinite: np.typing.NDArray[np.bool_], reward: FloatArray
) -> FloatArray:
    decisive = infinite[:, None] & (shares > _NOTHING)
    result: FloatArray = np.where(decisive, reward, np.where(infinite[:, None], 0.0, shares))
    return result


def _shares(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    n_games, n_subsets, n_stages = values.shape
    k, a = n_subsets.bit_length() - 1, n_stages - 1
    enters, follows = _weights(k, a)
    size = np.bitwise_count(np.arange(n_subsets, dtype=np.uint64)).astype(np.intp)
    free = np.zeros((n_games, k))
    for i in range(k):
        split = values.reshape(n_games, n_subsets >> (i + 1), 2, 1 << i, n_stages)
        without = size.reshape(-1, 2, 1 << i)[:, 0]
        gain = split[:, :, 1] - split[:, :, 0]
        free[:, i] = np.tensordot(gain, enters[without], axes=3)
    gain = values[:, :, 1:] - values[:, :, :-1]
    kept = np.einsum("cts,ts->cs", gain, follows[size])
    return free, kept


def _weights(k: int, a: int) -> tuple[FloatArray, FloatArray]:
    """Shares of the orders in which a player comes after s free and j kept ones.

    Returns
    -------
    enters : array (k, a + 1)
        Of one free player, after one given set of s others; by s and j.
    follows : array (k + 1, a)
        Of kept player j, after one given set of s free ones; by s and j.
    """
    fact = math.factorial
    whole = fact(k + a)
    enters = [
        [fact(s + j) * fact(k - 1 - s + a - j) * math.comb(a, j) / whole for j in range(a + 1)]
        for s in range(k)
    ]
    follows = [
        [fact(s + j) * fact(k - s + a - j - 1) * math.comb(a - 1, j) * a / whole for j in range(a)]
        for s in range(k + 1)
    ]
    return np.array(enters).reshape(k, a + 1), np.array(follows).reshape(k + 1, a)


def all_subsets(players: int) -> BoolArray:
    """All subsets, (2^k, k), the first player changing fastest."""
    return (np.arange(1 << players)[:, None] >> np.arange(players) & 1).astype(bool)


def subset_numbers(known: BoolArray, members: Sequence[int]) -> IntArray:
    """Number of the subset of some members that each row of ``known`` (M, k) holds, (M,)."""
    result: IntArray = known[:, list(members)] @ (1 << np.arange(len(members), dtype=np.intp))
    return result


def stages(order: Sequence[int], players: int) -> BoolArray:
    """Who has told theirs once none, the first, the first two ... of an order have."""
    told = np.zeros((len(order) + 1, players), dtype=bool)
    for stage, player in enumerate(order, start=1):
        told[stage:, player] = True
    return told


def both_ways(
    forward: FloatArray, backward: FloatArray, free: Sequence[int], order: Sequence[int]
) -> FloatArray:
    """Mean of what an order and its reverse share out, (C, k)."""
    result = np.zeros((len(forward), len(free) + len(order)))
    for values, kept in ((forward, list(order)), (backward, list(order[::-1]))):
        of_free, of_kept = ordered_values(values)
        result[:, list(free)] += of_free / 2.0
        result[:, kept] += of_kept / 2.0
    return result
