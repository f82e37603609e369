"""The shortest vector that satisfies linear inequalities.

Least distance programming: minimise ‖z‖ subject to G z >= h, solved through its dual, a
non-negative least-squares problem (Lawson and Hanson 1974, chapter 23). The dual is as small as
there are inequalities, however many numbers may move, and says at once when nothing satisfies them:
its solution then weighs the inequalities that contradict each other (Farkas).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from bayesdx.inference.noisy.model import FloatArray, IntArray

#: A residual of the dual below this means that the inequalities contradict each other.
_CONTRADICTION = 1e-9
_MOST_LIMITS = 200


@dataclass(frozen=True, eq=False)
class LeastMove:
    """The solution of one problem.

    Attributes
    ----------
    possible : bool
    z : array (X,)
        The shortest vector; zeros where nothing satisfies the inequalities.
    weight : array (M,)
        How much each inequality takes part: in the solution, or in the contradiction.
    limits : int array (L,)
        Components that stand at a limit, or whose limit is part of the contradiction.
    """

    possible: bool
    z: FloatArray
    weight: FloatArray
    limits: IntArray


def least_move(
    matrix: FloatArray, bound: FloatArray, low: FloatArray, high: FloatArray
) -> LeastMove:
    """Solve min ‖z‖ subject to matrix z >= bound and low <= z <= high.

    Parameters
    ----------
    matrix : array (M, X)
    bound : array (M,)
    low, high : arrays (X,)
        Limits of the components, low <= 0 <= high; infinite where there is none.
    """
    n_rows, n_columns = matrix.shape
    signs: dict[int, float] = {}
    for _ in range(_MOST_LIMITS):
        rows, limit = _with_limits(signs, low, high, n_columns)
        possible, z, weight = _distance(np.vstack([matrix, rows]), np.append(bound, limit))
        over = (z > high + 1e-12) | (z < low - 1e-12)
        new = [int(x) for x in np.flatnonzero(over) if int(x) not in signs]
        if not possible or not new:
            break
        # Only the limits that are crossed are written down; few ever are.
        signs |= {x: -1.0 if z[x] > high[x] else 1.0 for x in new}
    active = np.array(list(signs), dtype=np.intp)[weight[n_rows:] > 0.0]
    return LeastMove(possible, np.clip(z, low, high), weight[:n_rows], active)


def _with_limits(
    signs: dict[int, float], low: FloatArray, high: FloatArray, n_columns: int
) -> tuple[FloatArray, FloatArray]:
    """Write limits as inequalities: -z >= -high, z >= low."""
    rows = np.zeros((len(signs), n_columns))
    limit = np.zeros(len(signs))
    for i, (x, sign) in enumerate(signs.items()):
        rows[i, x] = sign
        limit[i] = low[x] if sign > 0.0 else -high[x]
    return rows, limit


def _distance(matrix: FloatArray, bound: FloatArray) -> tuple[bool, FloatArray, FloatArray]:
    """Return whether it is possible, the shortest z, and the weights of the inequalities."""
    n_rows, n_columns = matrix.shape
    if not n_rows or (bound <= 0.0).all():
        return True, np.zeros(n_columns), np.zeros(n_rows)
    # Rows of one length: the residual that tells a contradiction is then of the order of 1.
    length = np.maximum(np.sqrt((matrix**2).sum(axis=1) + bound**2), 1e-300)
    stacked = np.vstack([(matrix / length[:, None]).T, (bound / length)[None, :]])
    target = np.zeros(n_columns + 1)
    target[-1] = 1.0
    weight, _ = nnls(stacked, target, maxiter=50 * (n_rows + 1))
    residual = stacked @ weight - target
    if float(residual @ residual) < _CONTRADICTION:
        return False, np.zeros(n_columns), weight
    return True, -residual[:-1] / residual[-1], weight
