"""The numbers of N cases while what does not need a frontier is summed out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.noisy.condition import Problem
from bayesdx.inference.noisy.lockstep.axis_scores import AxisScores
from bayesdx.inference.noisy.lockstep.production import Production
from bayesdx.inference.noisy.model import NoisyModel


@dataclass(eq=False)
class BatchWorkspace:
    """What is left of N cases; the arrays change while pendants are summed out.

    Attributes
    ----------
    vectors : array (N, K, S)
        Components of each axis with the causes that were folded into it; those of evidence are
        scaled so that component 0 is 1, those of risks add up to 1.
    on, off : arrays (N, C)
        Factors of a cause being active and inactive.
    present, absent : arrays (N, P)
        P(cause present | risks) and its complement, laid out as `Problem.prior`; a risk that was
        summed out keeps its place in the table and is read at its state 0.
    log_scale : array (N,)
        Log of all that was taken out.
    strides : int array (N, E + 1)
        Step in a cause's table from one state of a risk to the next; the last column is 0.
    production : Production, optional
        What causes produced, when that is asked.
    """

    vectors: FloatArray
    on: FloatArray
    off: FloatArray
    present: FloatArray
    absent: FloatArray
    log_scale: FloatArray
    strides: IntArray
    production: Production | None = None

    def scale(self, rows: IntArray, factor: FloatArray) -> None:
        """Note that ``factor`` (M,) was taken out of ``rows`` (M,)."""
        n_cases = len(self.log_scale)
        self.log_scale += np.bincount(rows, weights=log_of(factor), minlength=n_cases)


@dataclass(eq=False)
class Shares:
    """What the way back fills in.

    Attributes
    ----------
    on, off : arrays (N, C)
        P(cause present | evidence), P(cause absent | evidence).
    by_present, by_absent : arrays (N, P) or (0, P)
        The same by entry of the table, for causes whose risks were contracted; empty if none were.
    vectors : array (N, K, S)
        Derivatives by the components of evidence axes; P(state | evidence) of risks.
    production : Production, optional
        What causes produced, when that is asked.
    scores : AxisScores, optional
        Derivatives by what causes do, when they are asked.
    """

    on: FloatArray
    off: FloatArray
    by_present: FloatArray
    by_absent: FloatArray
    vectors: FloatArray
    production: Production | None = None
    scores: AxisScores | None = None


def start_workspace(
    model: NoisyModel, problem: Problem, production: Production | None = None
) -> BatchWorkspace:
    """Copy what will be changed."""
    width = max(4, problem.start.shape[2])
    vectors = np.zeros((*problem.axis.shape, width))
    vectors[:, :, : problem.start.shape[2]] = problem.start
    return BatchWorkspace(
        vectors=vectors,
        on=problem.on.copy(),
        off=problem.off.copy(),
        present=problem.prior.copy(),
        absent=1.0 - problem.prior,
        log_scale=problem.log_scale.copy(),
        strides=_table_strides(model, problem),
        production=production,
    )


def _table_strides(model: NoisyModel, problem: Problem) -> IntArray:
    """Tables run over the unknown risks of a case, by rising slot, the last one fastest."""
    n_cases = len(problem.axis)
    edges = model.edges
    unknown = np.zeros((len(model.axes.classes) + 1, n_cases), dtype=bool)
    unknown[problem.axis.T, np.arange(n_cases)] = True
    strides = np.zeros((n_cases, edges.count + 1), dtype=np.intp)
    for cause, axes in edges.parents:
        step = np.ones(n_cases, dtype=np.intp)
        for axis in reversed(axes):
            strides[:, edges.number[axis, cause]] = step
            step = np.where(unknown[axis], step * model.axes.sizes[axis], step)
    return strides


def divided(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Quotient, zero where the denominator is zero."""
    result: FloatArray = np.divide(
        numerator, denominator, out=np.zeros(np.shape(numerator)), where=denominator > 0.0
    )
    return result


def log_of(factor: FloatArray) -> FloatArray:
    """Logarithm, minus infinity of zero without a warning."""
    with np.errstate(divide="ignore"):
        result: FloatArray = np.log(factor)
    return result


def log_product(factors: NDArray[np.float64]) -> FloatArray:
    """Log of the product of each row; one logarithm a row unless the product gets too small."""
    product = factors.prod(axis=1)
    result = log_of(product)
    small = np.flatnonzero(product < 1e-200)
    result[small] = log_of(factors[small]).sum(axis=1)
    return result
