"""Numbers of one network in D draws, as far as a case speaks of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.model import NoisyModel


@dataclass(frozen=True, eq=False)
class LinkDraws:
    """Noisy-OR parameters of one finding, or one level of an ordinal, in D draws.

    Attributes
    ----------
    causes : int array (n,)
        Positions in the model, rising.
    strength, factor : arrays (n, D)
        Link strengths and inhibitor factors; in a draw at most one of them acts.
    leak : array (D,)
    """

    causes: IntArray
    strength: FloatArray
    factor: FloatArray
    leak: FloatArray

    def take(self, draws: IntArray | slice) -> LinkDraws:
        """Return some draws."""
        return LinkDraws(
            self.causes, self.strength[:, draws], self.factor[:, draws], self.leak[draws]
        )


@dataclass(frozen=True, eq=False)
class ParameterDraws:
    """D draws of the parameters of one network.

    Attributes
    ----------
    findings : mapping of int to LinkDraws
        By position of the finding in the model.
    ordinals : mapping of int to tuple of LinkDraws
        Exceedance strengths and leaks of an ordinal finding, level after level.
    parents : tuple of tuples of int
        Risks that each cause depends on, rising.
    tables : tuple of arrays (S_parent1, ..., D)
        P(cause present | risks).
    risk_priors : tuple of arrays (S, D)
    """

    findings: Mapping[int, LinkDraws]
    ordinals: Mapping[int, tuple[LinkDraws, ...]]
    parents: tuple[tuple[int, ...], ...]
    tables: tuple[FloatArray, ...]
    risk_priors: tuple[FloatArray, ...]

    def __len__(self) -> int:
        return int(self.tables[0].shape[-1])

    def take(self, draws: IntArray | slice) -> ParameterDraws:
        """Return some of the draws."""
        return ParameterDraws(
            {f: one.take(draws) for f, one in self.findings.items()},
            {o: tuple(one.take(draws) for one in many) for o, many in self.ordinals.items()},
            self.parents,
            tuple(table[..., draws] for table in self.tables),
            tuple(prior[:, draws] for prior in self.risk_priors),
        )

    def asked(self, model: NoisyModel, evidence: Evidence) -> ParameterDraws:
        """Leave out the findings that one case does not speak of."""
        findings = np.flatnonzero(~np.isnan(evidence.findings[0])).tolist()
        full = np.array(model.ordinal_sizes, dtype=np.intp) - 1
        bounded = np.flatnonzero((evidence.lower[0] > 0) | (evidence.upper[0] < full)).tolist()
        return ParameterDraws(
            {f: self.findings[f] for f in findings},
            {o: self.ordinals[o] for o in bounded},
            self.parents,
            self.tables,
            self.risk_priors,
        )


def repeat_parameters(model: NoisyModel, count: int) -> ParameterDraws:
    """Return the model's own parameters ``count`` times."""
    links = model.links

    def repeated(values: FloatArray) -> FloatArray:
        return np.repeat(np.asarray(values)[..., None], count, axis=-1)

    def one(strength: FloatArray, factor: FloatArray, leak: float) -> LinkDraws:
        at = np.flatnonzero((strength > 0.0) | (factor < 1.0))
        return LinkDraws(
            at, repeated(strength[at]), repeated(factor[at]), np.full(count, float(leak))
        )

    none = np.ones(len(model.causes))
    levels = {}
    for o, first in enumerate(model.level_offset):
        columns = range(first, first + model.ordinal_sizes[o] - 1)
        levels[o] = tuple(one(links.exceed[:, at], none, links.exceed_leak[at]) for at in columns)
    return ParameterDraws(
        {
            f: one(links.strength[:, f], links.factor[:, f], links.leak[f])
            for f in range(len(model.findings))
        },
        levels,
        model.cause_parents,
        tuple(repeated(table) for table in model.cause_tables),
        tuple(repeated(prior) for prior in model.risk_priors),
    )
