"""Millions of cases drawn from a diagnosis network, layer after layer (forward sampling).

`bayesdx.inference.noisy.sampling.sample_cases` draws the same distribution the obvious way. Here
rare causes are found by thinning, a noisy-OR finding is drawn by its mechanism (the leak, then each
link of each cause that is present), and only what can happen is looked at, so that a case costs
about a microsecond. The two are compared in the tests; they use random numbers differently.

Probabilities are compared with whole numbers of 31 bits: each is exact to 2.4e-10, and 0 and 1
stay 0 and 1. Raw bits, not NumPy's distributions, are what is drawn: their stream is the same in
every version of NumPy.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.evidence import StateArray
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.noisy.sampling import Sample
from bayesdx.network import NoisyMaxCPD, NoisyOrCPD

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


class _Links(NamedTuple):
    """What a cause does when it is present."""

    findings: IntArray  # (L,) positions
    below: DrawArray  # (L, 1)


class _Ordinal(NamedTuple):
    leak_kept: FloatArray  # (S - 1,) P(at most this level) of the leak alone, times SCALE
    parents: tuple[int, ...]
    kept: FloatArray  # (P, S - 1)


class ForwardSampler:
    """Draws complete cases from one model; immutable, and safe to share between threads.

    Parameters
    ----------
    model : NoisyModel
    """

    def __init__(self, model: NoisyModel) -> None:
        self._model = model
        self._risk_cuts = [draws_below(np.cumsum(prior)[:-1]) for prior in model.risk_priors]
        # Exact to 2^-31 as the others: a table of 1 is reached by every draw, one of 0 by none.
        self._tables = [table * SCALE for table in model.cause_tables]
        position = {name: i for i, name in enumerate(model.causes)}
        self._leaks = draws_below(model.leak)
        self._inhibitors: list[list[tuple[int, float]]] = []
        links: list[list[tuple[int, float]]] = [[] for _ in model.causes]
        for f, name in enumerate(model.findings):
            cpd = model.network.cpds[name]
            assert isinstance(cpd, NoisyOrCPD)
            for parent, strength in zip(cpd.activators, cpd.strengths.tolist(), strict=True):
                links[position[parent]].append((f, strength))
            lowering = zip(cpd.inhibitors, cpd.factors.tolist(), strict=True)
            self._inhibitors.append([(position[parent], factor) for parent, factor in lowering])
        self._links = [
            _Links(
                np.array([f for f, _ in of], dtype=np.intp),
                draws_below(np.array([[strength] for _, strength in of]).reshape(-1, 1)),
            )
            for of in links
        ]
        self._ordinals = [self._ordinal(name, position) for name in model.ordinals]

    def _ordinal(self, name: str, position: dict[str, int]) -> _Ordinal:
        cpd = self._model.network.cpds[name]
        assert isinstance(cpd, NoisyMaxCPD)
        parents = tuple(position[parent] for parent in cpd.parents)
        return _Ordinal((1.0 - cpd.leak) * SCALE, parents, 1.0 - cpd.strengths)

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
        risks = self._risks(n_cases, bits)
        rows = [self._cause(c, risks, bits) for c in range(len(self._tables))]
        causes = np.zeros((len(rows), n_cases), dtype=bool)
        for present, where in zip(causes, rows, strict=True):
            present[where] = True
        findings = self._findings(n_cases, rows, bits)
        ordinals = np.zeros((len(self._ordinals), n_cases), dtype=np.int8)
        for state, ordinal in zip(ordinals, self._ordinals, strict=True):
            _draw_ordinal(state, ordinal, rows, bits)
        return Sample(risks.T, causes.T, findings.T, ordinals.T)

    def _risks(self, n_cases: int, bits: np.random.BitGenerator) -> StateArray:
        risks = np.zeros((len(self._risk_cuts), n_cases), dtype=np.int8)
        for state, cuts in zip(risks, self._risk_cuts, strict=True):
            draws = uniform_draws(bits, n_cases)
            for cut in cuts:
                state += draws >= cut
        return risks

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
        findings = np.empty((len(self._leaks), n_cases), dtype=bool)
        for present, leak, lowering in zip(findings, self._leaks, self._inhibitors, strict=True):
            below: DrawArray | FloatArray = leak
            if lowering:
                below = np.full(n_cases, float(leak))
                for c, factor in lowering:
                    below[rows[c]] *= factor
            np.less(uniform_draws(bits, n_cases), below, out=present)
        for where, links in zip(rows, self._links, strict=True):
            hit = uniform_draws(bits, len(links.findings), len(where)) < links.below
            link, row = np.nonzero(hit)
            findings[links.findings[link], where[row]] = True
        return findings


def _draw_ordinal(
    state: StateArray, ordinal: _Ordinal, rows: list[IntArray], bits: np.random.BitGenerator
) -> None:
    """Draw one ordinal finding by its distribution function; noisy-MAX shares one draw."""
    draws = uniform_draws(bits, len(state))
    for level, at_most in enumerate(ordinal.leak_kept.tolist()):
        below = np.full(len(state), at_most)
        for c, kept in zip(ordinal.parents, ordinal.kept, strict=True):
            below[rows[c]] *= kept[level]
        state += draws >= below
