"""Cases drawn from a network, layer after layer (forward sampling), and observed in part.

Rare causes are found by thinning, a noisy-OR finding is drawn by its mechanism (the leak, then each
link of each cause that is present), and only what can happen is looked at, so that a case costs
about a microsecond.

Probabilities are compared with whole numbers of 31 bits: each is exact to 2.4e-10, and 0 and 1
stay 0 and 1. Raw bits, not NumPy's distributions, are what is drawn: their stream is the same in
every version of NumPy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.evidence import Evidence, StateArray, no_evidence
from bayesdx.inference.noisy.model import NoisyModel

#: Draws are whole numbers below this; an event of probability p happens below p times it.
SCALE = 1 << 31

DrawArray = NDArray[np.uint32]


def uniform_draws(bits: np.random.BitGenerator, *shape: int) -> DrawArray:
    """Return whole numbers, uniform from 0 to ``SCALE`` - 1."""
    size = math.prod(shape)
    raw = bits.random_raw((size + 1) // 2)
    # Little-endian order on every machine, so that a seed means the same cases everywhere.
    draws: DrawArray = raw.astype("<u8", copy=False).view("<u4")[:size].reshape(shape)
    np.right_shift(draws, 1, out=draws)
    return draws


def draws_below(probability: FloatArray | float) -> DrawArray:
    """Return how many of the possible draws stand for an event of each probability."""
    return np.rint(np.asarray(probability, dtype=np.float64) * SCALE).astype(np.uint32)


@dataclass(frozen=True, eq=False)
class Sample:
    """N complete cases.

    Attributes
    ----------
    risks : int8 array (N, R)
    causes : bool array (N, C)
    findings : bool array (N, F)
    ordinals : int8 array (N, O)
    """

    risks: StateArray
    causes: BoolArray
    findings: BoolArray
    ordinals: StateArray


class ForwardSampler:
    """Draws complete cases from one model; immutable, and safe to share between threads."""

    def __init__(self, model: NoisyModel) -> None:
        self._model, links = model, model.links
        self._risk_cuts = [draws_below(np.cumsum(prior)[:-1]) for prior in model.risk_priors]
        # Exact to 2^-31 as the others: a table of 1 is reached by every draw, one of 0 by none.
        self._tables = [table * SCALE for table in model.cause_tables]
        self._leaks = draws_below(links.leak)
        self._inhibitors = [np.flatnonzero(factor < 1.0).tolist() for factor in links.factor.T]
        self._links = [np.flatnonzero(strength > 0.0) for strength in links.strength]
        self._below = [
            draws_below(strength[at])[:, None]
            for strength, at in zip(links.strength, self._links, strict=True)
        ]
        self._levels = [
            slice(first, first + size - 1)
            for first, size in zip(model.level_offset, model.ordinal_sizes, strict=True)
        ]

    def draw(self, n_cases: int, bits: np.random.BitGenerator) -> Sample:
        """Draw complete cases.

        Parameters
        ----------
        n_cases : int
        bits : BitGenerator
            Where randomness comes from; it moves on.

        Returns
        -------
        Sample
            Arrays of the usual shapes, one variable contiguous in memory.
        """
        risks = np.zeros((len(self._risk_cuts), n_cases), dtype=np.int8)
        for state, cuts in zip(risks, self._risk_cuts, strict=True):
            draws = uniform_draws(bits, n_cases)
            for cut in cuts:
                state += draws >= cut
        rows = [self._cause(c, risks, bits) for c in range(len(self._tables))]
        causes = np.zeros((len(rows), n_cases), dtype=bool)
        for present, where in zip(causes, rows, strict=True):
            present[where] = True
        findings = self._findings(n_cases, rows, bits)
        ordinals = np.zeros((len(self._levels), n_cases), dtype=np.int8)
        for state, levels in zip(ordinals, self._levels, strict=True):
            self._ordinal(state, levels, rows, bits)
        return Sample(risks.T, causes.T, findings.T, ordinals.T)

    def _cause(self, c: int, risks: StateArray, bits: np.random.BitGenerator) -> IntArray:
        """Rows that have a cause: first those that could whatever their risks, then which do."""
        table = self._tables[c]
        draws = uniform_draws(bits, risks.shape[1])
        rows = np.flatnonzero(draws < table.max())
        if not table.ndim:
            return rows
        below = table[tuple(risks[r, rows] for r in self._model.cause_parents[c])]
        found: IntArray = rows[draws[rows] < below]
        return found

    def _findings(
        self, n_cases: int, rows: list[IntArray], bits: np.random.BitGenerator
    ) -> BoolArray:
        factor = self._model.links.factor
        findings = np.empty((len(self._leaks), n_cases), dtype=bool)
        for f, (present, lowering) in enumerate(zip(findings, self._inhibitors, strict=True)):
            below: DrawArray | FloatArray = self._leaks[f]
            if lowering:
                below = np.full(n_cases, float(self._leaks[f]))
                for c in lowering:
                    below[rows[c]] *= factor[c, f]
            np.less(uniform_draws(bits, n_cases), below, out=present)
        for where, own, below in zip(rows, self._links, self._below, strict=True):
            link, row = np.nonzero(uniform_draws(bits, len(own), len(where)) < below)
            findings[own[link], where[row]] = True
        return findings

    def _ordinal(
        self, state: StateArray, levels: slice, rows: list[IntArray], bits: np.random.BitGenerator
    ) -> None:
        """Draw one ordinal finding by its distribution function; noisy-MAX shares one draw."""
        kept = 1.0 - self._model.links.exceed[:, levels]
        acting = np.flatnonzero((kept < 1.0).any(axis=1))
        draws = uniform_draws(bits, len(state))
        leaks = (1.0 - self._model.links.exceed_leak[levels]) * SCALE
        for level, at_most in enumerate(leaks.tolist()):
            below = np.full(len(state), at_most)
            for c in acting:
                below[rows[c]] *= kept[c, level]
            state += draws >= below


def sample_cases(model: NoisyModel, n_cases: int, rng: np.random.Generator) -> Sample:
    """Draw complete cases, each layer given the one above."""
    return ForwardSampler(model).draw(n_cases, rng.bit_generator)


def observe(
    model: NoisyModel,
    sample: Sample,
    rng: np.random.Generator,
    *,
    asked: tuple[float, float] = (0.20, 0.35),
    risks_asked: tuple[float, float] | None = None,
) -> Evidence:
    """Hide part of each case: every finding is asked with a rate drawn once a case.

    Parameters
    ----------
    model : NoisyModel
    sample : Sample
    rng : numpy Generator
    asked : (float, float)
        Range of the rate at which findings are asked.
    risks_asked : (float, float), optional
        The same for risks; ``asked`` when not given.
    """
    n_cases = len(sample.causes)
    blank = no_evidence(model, n_cases)
    rate = rng.uniform(*asked, size=(n_cases, 1))
    known = rng.random(sample.findings.shape) < rate
    known_ordinals = rng.random(sample.ordinals.shape) < rate
    risk_rate = rng.uniform(*(risks_asked or asked), size=(n_cases, 1))
    known_risks = rng.random(sample.risks.shape) < risk_rate
    return Evidence(
        findings=np.where(known, sample.findings, np.nan),
        lower=np.where(known_ordinals, sample.ordinals, blank.lower),
        upper=np.where(known_ordinals, sample.ordinals, blank.upper),
        risks=np.where(known_risks, sample.risks, blank.risks),
        causes=blank.causes,
    )
