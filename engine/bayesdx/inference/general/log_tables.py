"""One case alone, in logarithms: slow, and for any range of numbers.

Hundreds of findings for one hypothesis and hundreds against it are no contradiction, but on the way
their likelihoods differ by more than a float can hold. Where that happens the quick ways notice
(the processor says that a product was too small) and the case comes here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bayesdx.inference.arrays import FloatArray

Axes = tuple[int, ...]
Part = tuple[Axes, FloatArray]


def multiplied(parts: Sequence[Part], order: Axes, cards: tuple[int, ...]) -> FloatArray:
    """Add tables of logs; the axes of the result are those of ``order``."""
    total: FloatArray = np.zeros([cards[v] for v in order])
    for axes, log_part in parts:
        total += log_part.reshape([cards[v] if v in axes else 1 for v in order])
    return total


def summed(log_table: FloatArray, axes: Axes, kept: Axes) -> FloatArray:
    """Log of the sum over all axes but those kept."""
    dropped = tuple(i for i, v in enumerate(axes) if v not in kept)
    if not dropped:
        return log_table
    top = np.max(log_table, axis=dropped, keepdims=True)
    top[np.isneginf(top)] = 0.0
    result: FloatArray = np.log(np.exp(log_table - top).sum(axis=dropped))
    result += top.reshape(result.shape)
    return result


def divided(log_table: FloatArray, log_by: FloatArray) -> FloatArray:
    """Difference of logs, with 0 / 0 = 0."""
    result: FloatArray = np.where(np.isneginf(log_by), -math.inf, log_table - log_by)
    return result
