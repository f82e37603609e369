"""All cases of a batch, one after the other."""

from __future__ import annotations

import math
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from bayesdx.inference.noisy.jit.absorbing import absorb_case
from bayesdx.inference.noisy.jit.jit import compiled, compiled_and_kept
from bayesdx.inference.noisy.jit.peeling import link_causes, peel, unpeel
from bayesdx.inference.noisy.jit.planning import find_core, make_plan
from bayesdx.inference.noisy.jit.sweeping import backward, forward
from bayesdx.inference.noisy.jit.work import ON, Work
from bayesdx.inference.noisy.model import ModelArrays

#: What is wrong with a case: too many axes, too large a frontier.
TOO_MANY, TOO_LARGE = 1, 2
#: Of the rates tried for plans on the packaged knowledge and on a synthetic network, those that
#: gave the least work.
_RATES = (6, 4)


@compiled
def _plan_core(layout: ModelArrays, work: Work, n_slots: int) -> int:
    """Plan the sweep over what peeling left: 1, 0 where nothing was left, -1 too large."""
    n_core = find_core(layout.axes, work.state, work.words, n_slots)
    if n_core == 0:
        return 0
    cost = make_plan(
        layout.axes.log_size, work.state, work.words, work.program, n_core, n_slots, _RATES
    )
    return 1 if cost >= 0.0 else -1


def _make_answer(digest: str) -> Any:
    """Machine code is kept by the source of its entry; the digest stands for all other files."""

    @compiled_and_kept
    def answer_rows(
        layout: ModelArrays,
        work: Work,
        evidence: Any,
        rows: tuple[int, int],
        absent: Any,
        results: Any,
        only_evidence: bool,
    ) -> int:
        findings, lower, upper, risks, causes = evidence
        log_evidence, posteriors, status = results
        tape, buffer, places = np.empty(1 << 12), np.empty(5 << 8), np.empty(1 << 8, np.int64)
        spare = np.empty(len(work.state.mask))
        links, state, record, program = layout.axes.links, work.state, work.record, work.program
        for n in range(rows[0], rows[1]):
            posterior = spare if only_evidence else posteriors[n]
            log_evidence[n] = -np.inf
            n_slots = absorb_case(
                layout, state, findings[n], lower[n], upper[n], risks[n], causes[n]
            )
            if n_slots < 0:
                status[n] = TOO_MANY
                continue
            for c in absent:
                state.weights[c, ON] = 0.0
            link_causes(layout.axes, state, n_slots, posterior)
            n_steps = peel(links, state, record, n_slots)
            planned = _plan_core(layout, work, n_slots)
            if planned < 0:
                status[n] = TOO_LARGE
                continue
            if planned:
                if len(tape) < program.needs[1]:
                    tape = np.empty(program.needs[1] + program.needs[1] // 4)
                if len(places) < program.needs[2]:
                    places = np.empty(program.needs[2], np.int64)
                    buffer = np.empty(5 * program.needs[2])
                forward(links, state, program, tape, buffer, places)
            log_evidence[n] = state.scale[1] + math.log(state.scale[0])
            if only_evidence:
                continue
            if log_evidence[n] == -np.inf:
                posterior[:] = 0.0
                continue
            if planned:
                backward(links, state, program, tape, buffer, places, posterior)
            unpeel(links, state, record, n_steps, posterior)
            # A certain cause may come out an ulp above 1.
            np.minimum(posterior, 1.0, posterior)
        return len(digest)

    return answer_rows


def _digest() -> str:
    """Digest of all compiled sources: numba itself looks at the file of the entry only."""
    sources = [*sorted(Path(__file__).parent.glob("*.py")), Path(__file__).parents[1] / "model.py"]
    return sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


answer = _make_answer(_digest())
