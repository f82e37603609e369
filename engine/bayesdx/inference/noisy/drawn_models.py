"""Cases under many draws of the parameters, each draw a model of its own.

What couples much is summed out by a tree of tables (`bayesdx.inference.noisy.jit`) in a fraction of
the work that lanes over one frontier take (`bayesdx.inference.noisy.draws`), and any number of
cases shares the models. To lay out a model takes as long as to answer two or three such cases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.answer import Answer
from bayesdx.inference.noisy.compiling import with_numbers
from bayesdx.inference.noisy.model import Links, NoisyModel
from bayesdx.inference.noisy.parameters import LinkDraws, ParameterDraws
from bayesdx.inference.noisy.query import posteriors

#: Threads; beside the arithmetic, which goes on in parallel, models are laid out in turn.
_WORKERS = 2


def answers_of_models(
    model: NoisyModel,
    evidence: Evidence,
    draws: ParameterDraws,
    asked: BoolArray | None = None,
    told: Callable[[float], None] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Answer N cases under every draw by the compiled sweep.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
    draws : ParameterDraws
        D draws, of everything that one of the cases speaks of.
    asked : bool array (N, C), optional
        See `bayesdx.inference.posteriors`.
    told : callable, optional
        Told the share of the draws that are done.

    Returns
    -------
    log_evidence : array (D, N)
    causes : array (D, N, C)

    Raises
    ------
    TooComplex
        If a case is beyond the limits under some draw.
    BayesdxError
        If numba is not there.
    """

    def answer(one: NoisyModel) -> Answer:
        return posteriors(one, evidence, asked=asked, backend="compiled", workers=1).complete()

    count, shape = len(draws), (len(evidence), len(model.causes))
    log_evidence, causes = np.empty((count, shape[0])), np.empty((count, *shape))
    models = _models(model, draws)
    with ThreadPoolExecutor(_WORKERS) as pool:
        # A few at a time: a model takes a megabyte or two.
        waiting = [pool.submit(answer, one) for one in islice(models, 2 * _WORKERS)]
        for d in range(count):
            found = waiting.pop(0).result()
            log_evidence[d], causes[d] = found.log_evidence, found.causes
            waiting += [pool.submit(answer, one) for one in islice(models, 1)]
            if told is not None:
                told((d + 1) / count)
    return log_evidence, causes


def _models(model: NoisyModel, draws: ParameterDraws) -> Iterator[NoisyModel]:
    """Lay out the model of each draw; findings that no case speaks of have no links."""
    at = sorted(draws.findings)
    findings, levels = [draws.findings[f] for f in at], list[LinkDraws]()
    columns = list[int]()
    for o, many in draws.ordinals.items():
        columns += range(model.level_offset[o], model.level_offset[o] + len(many))
        levels += many
    of_findings, of_levels = (
        _LaidLinks(at, findings, len(draws)),
        _LaidLinks(columns, levels, len(draws)),
    )
    links, n_causes = model.links, len(model.causes)
    for d in range(len(draws)):
        strength = np.zeros((n_causes, len(links.leak)))
        factor, exceed = np.ones_like(strength), np.zeros((n_causes, len(links.exceed_leak)))
        leak, exceed_leak = links.leak.copy(), links.exceed_leak.copy()
        strength[of_findings.places] = of_findings.strength[:, d]
        factor[of_findings.places] = of_findings.factor[:, d]
        exceed[of_levels.places] = of_levels.strength[:, d]
        leak[at], exceed_leak[columns] = of_findings.leak[:, d], of_levels.leak[:, d]
        yield with_numbers(
            model,
            links=Links(strength, factor, leak, exceed, exceed_leak, links.sizes),
            cause_parents=draws.parents,
            cause_tables=tuple(table[..., d] for table in draws.tables),
            risk_priors=tuple(prior[:, d] for prior in draws.risk_priors),
        )


class _LaidLinks:
    """Links of several events below each other; ``places`` are (causes, columns) of each."""

    def __init__(self, columns: list[int], events: list[LinkDraws], n_draws: int) -> None:
        none = np.zeros(0, dtype=np.intp)
        own = [np.full(len(one.causes), at) for at, one in zip(columns, events, strict=True)]
        causes = [one.causes for one in events]
        self.places = np.concatenate([none, *causes]), np.concatenate([none, *own])
        rows = np.zeros((0, n_draws))
        self.strength = np.concatenate([rows, *(one.strength for one in events)])
        self.factor = np.concatenate([rows, *(one.factor for one in events)])
        self.leak = np.array([one.leak for one in events]).reshape(-1, n_draws)
