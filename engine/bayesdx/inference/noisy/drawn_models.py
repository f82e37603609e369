"""Cases under many draws of the parameters, each draw a model of its own.

What couples much is summed out by a tree of tables (`bayesdx.inference.noisy.jit`) in a fraction of
the work that lanes over one frontier take (`bayesdx.inference.noisy.draws`), and any number of
cases shares the models. To lay out a model takes about as long as to answer an ordinary case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.answer import Answer
from bayesdx.inference.noisy.compiling import with_draws
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
        return posteriors(one, spoken, asked=asked, backend="compiled", workers=1).complete()

    count, shape = len(draws), (len(evidence), len(model.causes))
    log_evidence, causes = np.empty((count, shape[0])), np.empty((count, *shape))
    # Of the findings that a case speaks of: to lay out all takes several times as long.
    findings, ordinals = sorted(draws.findings), sorted(draws.ordinals)
    spoken = Evidence(
        evidence.findings[:, findings],
        evidence.lower[:, ordinals],
        evidence.upper[:, ordinals],
        evidence.risks,
        evidence.causes,
    )
    models = _models(model, draws, findings, ordinals)
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


def _models(
    model: NoisyModel, draws: ParameterDraws, findings: list[int], ordinals: list[int]
) -> Iterator[NoisyModel]:
    """Lay out the model of each draw, of some findings."""
    binary = _LaidLinks([draws.findings[f] for f in findings], len(draws))
    levels = _LaidLinks([one for o in ordinals for one in draws.ordinals[o]], len(draws))
    shape, sizes = (len(model.causes), len(findings)), [model.ordinal_sizes[o] for o in ordinals]

    def of_draw(d: int) -> Links:
        strength, factor = np.zeros(shape), np.ones(shape)
        exceed = np.zeros((shape[0], len(levels.leak)))
        strength[binary.places] = binary.strength[:, d]
        factor[binary.places] = binary.factor[:, d]
        exceed[levels.places] = levels.strength[:, d]
        leak, exceed_leak = binary.leak[:, d], levels.leak[:, d]
        return Links(strength, factor, leak, exceed, exceed_leak, tuple(sizes))

    names = (
        tuple(model.findings[f] for f in findings),
        tuple(model.ordinals[o] for o in ordinals),
    )
    links = map(of_draw, range(len(draws)))
    return with_draws(model, names, links, draws.parents, draws.tables, draws.risk_priors)


class _LaidLinks:
    """Links of several events below each other; ``places`` are (causes, events) of each."""

    def __init__(self, events: list[LinkDraws], n_draws: int) -> None:
        causes = [np.zeros(0, dtype=np.intp), *(one.causes for one in events)]
        own = np.repeat(np.arange(len(events)), [len(one.causes) for one in events])
        self.places = np.concatenate(causes), own
        rows = np.zeros((0, n_draws))
        self.strength = np.concatenate([rows, *(one.strength for one in events)])
        self.factor = np.concatenate([rows, *(one.factor for one in events)])
        self.leak = np.array([one.leak for one in events]).reshape(-1, n_draws)
