"""Causes by falling posterior, alike by every backend."""

from __future__ import annotations

import numpy as np

from bayesdx.inference.arrays import FloatArray, IntArray

#: Posteriors that differ by no more than this part of the larger one share their place in a
#: ranking. Rounding must not decide which of two equal causes comes first.
TIE = 1e-10


def ranking(posterior: FloatArray) -> IntArray:
    """Return the positions of causes, the most probable first, for each of N cases.

    Parameters
    ----------
    posterior : array (N, K)

    Returns
    -------
    int array (N, K)
        Causes that are apart by no more than `TIE` from the next one form a group, inside which
        they stand in the order of the columns.
    """
    order = np.argsort(-posterior, axis=1)
    sorted_ = np.take_along_axis(posterior, order, axis=1)
    apart = sorted_[:, :-1] - sorted_[:, 1:] > TIE * sorted_[:, :-1]
    group = np.zeros(order.shape, dtype=np.intp)
    np.cumsum(apart, axis=1, out=group[:, 1:])
    # Positions inside a group are told apart by the column: one number, sorted once more.
    result: IntArray = np.sort(group * order.shape[1] + order, axis=1) % order.shape[1]
    return result
