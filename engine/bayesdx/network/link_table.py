"""One parent of a noisy family as a table: what chains of small tables are made of."""

from __future__ import annotations

import numpy as np

from bayesdx.network.cpds import FloatArray


def link_table(exceed: FloatArray, factor: float) -> FloatArray:
    """Return what one binary parent makes of the level so far.

    The level becomes the higher of itself and what the active parent brings about. An inhibitor
    brings nothing about and leaves a share of the level, which is the leak.

    Parameters
    ----------
    exceed : array (S - 1,)
        P(above each level but the highest | the parent alone active).
    factor : float
        What the active parent leaves of the leak.

    Returns
    -------
    array (2, S, S)
        P(level after | parent inactive or active, level before).
    """
    size = len(exceed) + 1
    link = np.zeros((2, size, size))
    link[0] = np.eye(size)
    for level in range(size):
        above = np.where(np.arange(size - 1) < level, factor, exceed)
        link[1, level] = -np.diff(np.concatenate([[1.0], above, [0.0]]))
    return link
