"""Posteriors of a batch of cases: one door to the executors, each imported when it is chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.machine_code import Backend
from bayesdx.inference.noisy import jit
from bayesdx.inference.noisy.answer import Answer
from bayesdx.inference.noisy.choice import takes_compiled
from bayesdx.inference.noisy.limits import EASY_WORK, MOST_WORK
from bayesdx.inference.noisy.model import NoisyModel

#: Cases prepared together: enough to amortise array calls, few enough to stay in memory.
CHUNK = 8192


def posteriors(
    model: NoisyModel,
    evidence: Evidence,
    *,
    chunk: int = CHUNK,
    only_evidence: bool = False,
    without: BoolArray | None = None,
    symptoms: FloatArray | None = None,
    asked: BoolArray | None = None,
    backend: Backend = "auto",
    workers: int | None = None,
    divide: bool = True,
    share_of: FloatArray | None = None,
) -> Answer:
    """Answer every case exactly.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
    chunk : int
        Cases prepared together; the answer does not depend on it.
    only_evidence : bool
        Skip the backward pass; ``causes`` is then empty.
    without : bool array (C,), optional
        Causes to assume absent for ``log_without``.
    symptoms : array (U,), optional
        Weights of findings for ``responsible`` and ``credit``; see `symptoms.prior_weights`.
    asked : bool array (N, C), optional
        Causes whose posteriors are wanted; those of the others are 0. Of these, causes that no
        evidence touches are left out, and with them most of what unknown risks couple.
    backend : {"auto", "numpy", "compiled"}
        "compiled" needs numba (``pip install 'bayesdx[fast]'``) and agrees with "numpy" to 1e-12,
        but for what is `too_complex`: each answers what it finds an order for within the limits,
        of a few parts of a case where it finds none for the whole.
        "auto" takes what is sooner done, see `bayesdx.inference.noisy.choice`.
    workers : int, optional
        Threads of the compiled backend, as many as there are cores by default; the answer does not
        depend on it.
    divide : bool
        Whether a case beyond the limits is answered in parts, see
        `bayesdx.inference.noisy.splitting`, which takes seconds.
    share_of : array (N,), optional
        Natural log of a probability of which that of each case is a share. Digits that parts lose
        are counted of the share; of the case's own probability by default.

    Returns
    -------
    Answer

    Raises
    ------
    BayesdxError
        If the backend asked for is not there.
    """
    quick = partial(
        _quick,
        model,
        chunk=chunk,
        only_evidence=only_evidence,
        without=without,
        symptoms=symptoms,
        workers=workers,
    )
    with np.errstate(over="ignore", invalid="ignore"):
        compiled = takes_compiled(backend, model, evidence)
        most_work = EASY_WORK if compiled and divide else MOST_WORK
        answer = quick(evidence, asked=asked, compiled=compiled, most_work=most_work)
        if divide and answer.too_complex.any():
            answer = _divided(
                model, evidence, answer, quick, asked, symptoms, backend, share_of, easy=compiled
            )
    if not answer.sound.all():
        from bayesdx.inference.noisy.careful import mended

        answer = mended(model, evidence, answer, only_evidence, without)
    if asked is None or only_evidence:
        return answer
    return replace(answer, causes=np.where(asked, answer.causes, 0.0))


def _divided(
    model: NoisyModel,
    evidence: Evidence,
    answer: Answer,
    quick: Callable[..., Answer],
    asked: BoolArray | None,
    symptoms: FloatArray | None,
    backend: Backend,
    share_of: FloatArray | None,
    *,
    easy: bool,
) -> Answer:
    """Answer in parts what is too complex; what was only not easy, if need be whole."""
    # Hardly any batch has such a case.
    from bayesdx.inference.noisy.splitting import answered_in_parts

    def ask(
        parts: Evidence, owner: IntArray, *, most_work: int = MOST_WORK, part: bool = True
    ) -> Answer:
        wanted = None if asked is None else asked[owner]
        compiled = takes_compiled(backend, model, parts)
        return quick(parts, asked=wanted, compiled=compiled, most_work=most_work, part=part)

    in_parts = partial(answered_in_parts, model, evidence, symptoms=symptoms, share_of=share_of)
    if not easy:
        return in_parts(answer, ask)
    answer = in_parts(answer, partial(ask, most_work=EASY_WORK), ask)
    rest = np.flatnonzero(answer.too_complex)
    if not len(rest):
        return answer
    answer = answer.replaced(rest, ask(evidence.take(rest), rest, part=False))
    # Fewer parts lose fewer digits.
    return in_parts(answer, ask)


def _quick(
    model: NoisyModel,
    evidence: Evidence,
    *,
    chunk: int,
    only_evidence: bool,
    without: BoolArray | None,
    symptoms: FloatArray | None,
    asked: BoolArray | None,
    compiled: bool,
    workers: int | None,
    most_work: int,
    part: bool = False,
) -> Answer:
    """Answer by the executors of this package, whatever the numbers.

    A ``part`` of which compiled code has too few digits left is too complex: NumPy, which answers
    such a case, takes longer than to divide it again.
    """
    if not compiled:
        return _numpy_executor()(model, evidence, chunk, only_evidence, without, symptoms, asked)
    driver = jit.driver_module()
    log_evidence, causes, log_without, status, split = driver.run(
        model,
        evidence,
        only_evidence=only_evidence,
        without=without,
        asked=asked,
        symptoms=symptoms,
        workers=workers,
        most_work=most_work,
        tile=1 if part else jit.TILE,
    )
    answer = Answer(log_evidence, causes, log_without, status != 0, split[0], split[1])
    lost = np.flatnonzero(status == jit.LOST)
    if len(lost) and not part:
        rest, wanted = evidence.take(lost), None if asked is None else asked[lost]
        slow = _numpy_executor()(model, rest, chunk, only_evidence, without, symptoms, wanted)
        answer = answer.replaced(lost, slow)
    return answer


def _numpy_executor() -> Callable[
    [NoisyModel, Evidence, int, bool, BoolArray | None, FloatArray | None, BoolArray | None], Answer
]:
    from bayesdx.inference.noisy.lockstep.portions import answer_cases

    return answer_cases
