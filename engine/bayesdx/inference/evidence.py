"""What is known of N cases, as arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayesdx.inference.noisy.model import FloatArray, NoisyModel

StateArray = NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Evidence:
    """Evidence of N cases on one model.

    Attributes
    ----------
    findings : float array (N, F)
        0 absent, 1 present, NaN unknown, in between soft: the likelihoods of what was seen are in
        the ratio p : 1 - p.
    lower, upper : int8 arrays (N, O)
        Inclusive interval of states of each ordinal finding; 0 and S - 1 when unknown.
    risks : int8 array (N, R)
        State position, -1 unknown.
    causes : int8 array (N, C)
        1 clamped present, 0 clamped absent, -1 free.
    """

    findings: FloatArray
    lower: StateArray
    upper: StateArray
    risks: StateArray
    causes: StateArray

    def __len__(self) -> int:
        return len(self.findings)

    def take(self, rows: NDArray[np.intp] | slice) -> Evidence:
        """Return the evidence of ``rows``; findings as numbers of eight bytes."""
        part = self.part(rows)
        return replace(part, findings=part.findings.astype(np.float64, copy=False))

    def part(self, rows: NDArray[np.intp] | slice) -> Evidence:
        """Return the evidence of ``rows``, findings in the kind of number that they are kept in."""
        return Evidence(
            self.findings[rows],
            self.lower[rows],
            self.upper[rows],
            self.risks[rows],
            self.causes[rows],
        )


def no_evidence(model: NoisyModel, n_cases: int) -> Evidence:
    """Return evidence that says nothing about ``n_cases`` cases."""
    uppers = np.array(model.ordinal_sizes, dtype=np.int8) - 1
    return Evidence(
        findings=np.full((n_cases, len(model.findings)), np.nan),
        lower=np.zeros((n_cases, len(model.ordinals)), dtype=np.int8),
        upper=np.tile(uppers, (n_cases, 1)),
        risks=np.full((n_cases, len(model.risks)), -1, dtype=np.int8),
        causes=np.full((n_cases, len(model.causes)), -1, dtype=np.int8),
    )


def stacked(parts: list[Evidence]) -> Evidence:
    """Return cases one below the other."""
    return Evidence(
        np.concatenate([part.findings for part in parts]),
        np.concatenate([part.lower for part in parts]),
        np.concatenate([part.upper for part in parts]),
        np.concatenate([part.risks for part in parts]),
        np.concatenate([part.causes for part in parts]),
    )


def compact(values: FloatArray) -> FloatArray:
    """Return the same numbers in two or four bytes each, where none of them changes by that.

    For keeping many cases; nothing is worked out in short numbers.
    """
    for kind in (np.float16, np.float32):
        with np.errstate(over="ignore"):
            short = values.astype(kind)
        if np.array_equal(short, values, equal_nan=True):
            return short  # type: ignore[return-value]  # NumPy names its floats by their length
    return values


def clamped_absent(evidence: Evidence, absent: NDArray[np.bool_]) -> Evidence:
    """Return one case once a row of ``absent`` (V, C), with those causes clamped absent."""
    copies = evidence.take(np.zeros(len(absent), dtype=np.intp))
    causes = np.where(absent, 0, copies.causes).astype(np.int8)
    return Evidence(copies.findings, copies.lower, copies.upper, copies.risks, causes)


def turned_absent(
    model: NoisyModel, evidence: Evidence, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> Evidence:
    """Return some cases, each with one finding turned to absent, an ordinal to "at most a level".

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
    rows : int array (T,)
        The cases.
    columns : int array (T,)
        Findings, then levels of ordinal findings, as the columns of `NoisyModel.log_absent`.
    """
    turned = evidence.take(rows)
    findings, lower, upper = turned.findings.copy(), turned.lower.copy(), turned.upper.copy()
    binary = columns < len(model.findings)
    at = np.flatnonzero(binary)
    findings[at, columns[at]] = 0.0
    at = np.flatnonzero(~binary)
    first = np.array(model.level_offset, dtype=np.intp)
    level = columns[at] - len(model.findings)
    ordinal = np.searchsorted(first, level, side="right") - 1
    lower[at, ordinal], upper[at, ordinal] = 0, level - first[ordinal]
    return Evidence(findings, lower, upper, turned.risks, turned.causes)
