"""Weights of the causes of one case in L lanes: priors given the risks, evidence, assumptions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray
from bayesdx.inference.evidence import Evidence, StateArray
from bayesdx.inference.noisy.parameters import ParameterDraws


@dataclass(frozen=True, eq=False)
class Assumptions:
    """What is assumed in each of L lanes beside the evidence.

    Attributes
    ----------
    on, off : arrays (C, L), (C, L or 1)
        Factors, 0 or more, on the weight of each cause being present and absent.
    risks : int8 array (R, L), optional
        State at which a lane holds a risk that the case does not know, -1 where it does not.
    """

    on: FloatArray
    off: FloatArray
    risks: StateArray | None = None


def below(parts: tuple[FloatArray, ...] | list[FloatArray]) -> FloatArray:
    """Put tables below each other, as wide as the widest."""
    widths = {part.shape[1] for part in parts}
    if len(widths) > 1:
        parts = [np.broadcast_to(part, (len(part), max(widths))) for part in parts]
    return np.concatenate(parts)


class CauseWeights:
    """Weights of the causes on their way through the evidence; ``on`` is written by findings.

    Attributes
    ----------
    on : array (C, L or 1)
        Factors of the evidence on active causes.
    axes : list of tuples of int
        Risks that the weights of each cause depend on, positions in ``starts``.
    starts : list of arrays (S, L or 1)
        Priors of the unknown risks that several causes share.
    log_scale : array (L or 1,)
    """

    def __init__(
        self, evidence: Evidence, parameters: ParameterDraws, assumed: Assumptions | None
    ) -> None:
        self._assumed = assumed
        self.n_lanes = len(parameters) if assumed is None else assumed.on.shape[1]
        self._clamp = evidence.causes[0]
        self.on = np.ones((len(self._clamp), len(parameters)))
        self.log_scale = np.zeros(len(parameters))
        known = evidence.risks[0].tolist()
        priors = list(parameters.risk_priors)
        uses = np.bincount(
            [r for own in parameters.parents for r in own], minlength=len(priors)
        ).tolist()
        self.starts: list[FloatArray] = []
        place = {}
        for r, prior in enumerate(parameters.risk_priors):
            held = None if assumed is None or assumed.risks is None else assumed.risks[r]
            with np.errstate(divide="ignore"):
                if known[r] >= 0:
                    self.log_scale = self.log_scale + np.log(prior[known[r]])
                elif held is not None and (held >= 0).any():
                    at = np.arange(len(prior))[:, None] == held
                    priors[r] = np.where(held < 0, prior, at)
                    if uses[r] > 1:
                        priors[r] = np.where(at | (held < 0), prior, 0.0)
                    else:
                        share = np.where(held < 0, 1.0, (prior * at).sum(axis=0))
                        self.log_scale = self.log_scale + np.log(share)
            if known[r] < 0 and uses[r] > 1:
                place[r] = len(self.starts)
                self.starts.append(priors[r])
        self.axes: list[tuple[int, ...]] = []
        tables = []
        for table, parents in zip(parameters.tables, parameters.parents, strict=True):
            own: list[int] = []
            if parents:
                table, own = _given(table, parents, known, priors, place)
                if not table.any():
                    # The same whatever the risks are.
                    table, own = table.reshape(-1, table.shape[-1])[:1], []
            tables.append(table.reshape(-1, table.shape[-1]))
            self.axes.append(tuple(own))
        self._prior, self._lengths = below(tables), [len(one) for one in tables]

    def possible(self) -> BoolArray:
        """Which causes are present in some world of some lane, (C,)."""
        first = np.cumsum([0, *self._lengths[:-1]])
        prior = np.maximum.reduceat(self._prior, first, axis=0).any(axis=1)
        on = self.on if self._assumed is None else self.on * self._assumed.on
        return np.asarray(prior & on.any(axis=1) & (self._clamp != 0))

    def weights(self) -> tuple[FloatArray, FloatArray]:
        """Weights of each cause being present and absent, as in `LaneCase`."""
        owner, prior = np.repeat(np.arange(len(self.on)), self._lengths), self._prior
        on, off = self.on, (self._clamp != 1).astype(np.float64)[:, None]
        if (self._clamp == 0).any():
            on = np.where(self._clamp[:, None] == 0, 0.0, on)
        if self._assumed is not None:
            on, off = on * self._assumed.on, off * self._assumed.off
        return prior * on[owner], (1.0 - prior) * off[owner]


def _given(
    table: FloatArray,
    parents: tuple[int, ...],
    known: list[int],
    priors: list[FloatArray],
    place: dict[int, int],
) -> tuple[FloatArray, list[int]]:
    """Slice a cause's table at known risks, average private ones; return what is left."""
    left: list[int] = []
    for axis in reversed(range(len(parents))):
        r = parents[axis]
        if known[r] >= 0:
            table = table[(slice(None),) * axis + (known[r],)]
        elif r in place:
            left.insert(0, place[r])
        else:
            weight = priors[r].reshape(-1, *(1,) * (table.ndim - axis - 2), priors[r].shape[1])
            table = (table * weight).sum(axis=axis)
    return table, left
