"""Joint questions: several causes at once, and which set of causes explains a case best."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bayesdx.errors import BayesdxError, Fault, Phrase
from bayesdx.inference.arrays import frozen
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.model import FloatArray, IntArray, NoisyModel
from bayesdx.inference.noisy.query import posteriors

#: Joint states asked for at once, at most.
MOST_STATES = 1 << 12
#: Partial explanations looked at together: enough to amortise a batch, few enough to waste little.
AT_ONCE = 256
#: Partial explanations looked at before giving up.
MOST_STEPS = 200_000


@dataclass(frozen=True, eq=False)
class Explanations:
    """The most probable sets of causes of one case, the most probable first.

    Attributes
    ----------
    present : bool array (K, C)
        The causes of each set; every other cause is absent.
    probability : array (K,)
        P(exactly these causes | evidence), risks and unknown findings summed out.
    """

    present: np.typing.NDArray[np.bool_]
    probability: FloatArray


def joint_posterior(model: NoisyModel, evidence: Evidence, causes: Sequence[int]) -> FloatArray:
    """Return the joint posterior of chosen causes.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
        N cases.
    causes : sequence of int
        M positions of causes, each once; at most 12.

    Returns
    -------
    array (N, 2, 2, ...)
        One axis a cause in the order given, absent before present; each case sums to 1, or is 0
        where the evidence is impossible.

    Raises
    ------
    BayesdxError
        If there are too many causes, or one twice.
    """
    chosen = list(causes)
    if len(set(chosen)) < len(chosen) or 2 ** len(chosen) > MOST_STATES:
        most = MOST_STATES.bit_length() - 1
        got = Phrase(f"{len(chosen)}, {len(set(chosen))} of them different")
        raise BayesdxError(Fault("causes", f"at most {most} causes, each once", got))
    states = np.indices((2,) * len(chosen)).reshape(len(chosen), -1).T
    n_cases, n_states = len(evidence), len(states)
    repeated = evidence.take(np.repeat(np.arange(n_cases), n_states))
    clamps = np.tile(states, (n_cases, 1))
    wanted = np.tile(evidence.causes[:, chosen], 1).repeat(n_states, axis=0)
    causes_clamped = repeated.causes.copy()
    causes_clamped[:, chosen] = clamps
    log_joint = _log_evidence(model, _clamped(repeated, causes_clamped))
    # What the evidence itself clamps the other way has no probability.
    impossible = ((wanted >= 0) & (wanted != clamps)).any(axis=1)
    log_joint = np.where(impossible, -np.inf, log_joint).reshape(n_cases, n_states)
    top = log_joint.max(axis=1, keepdims=True)
    weights = np.exp(log_joint - np.where(np.isneginf(top), 0.0, top))
    total = weights.sum(axis=1, keepdims=True)
    shares = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0.0)
    result: FloatArray = shares.reshape(n_cases, *(2,) * len(chosen))
    return result


def top_explanations(model: NoisyModel, evidence: Evidence, count: int) -> Explanations:
    """Find the most probable sets of causes of one case, exactly.

    A best-first search over causes decided one after the other, the least certain last. What is
    known of a partial decision, P(decided, evidence), bounds every way to complete it, so the first
    complete sets that come up are the most probable ones. That it is exact does not depend on the
    order; how many partial decisions are looked at does.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
        One case.
    count : int
        K, at least 1.

    Returns
    -------
    Explanations
        Fewer than K where fewer are possible; none where the evidence is impossible.

    Raises
    ------
    BayesdxError
        If more partial decisions would have to be looked at than `MOST_STEPS`.
    """
    answer = posteriors(model, evidence).complete()
    n_causes = len(model.causes)
    if not answer.possible[0]:
        return Explanations(np.zeros((0, n_causes), dtype=bool), frozen(np.zeros(0)))
    posterior = answer.causes[0]
    order = np.argsort(np.abs(posterior - 0.5), kind="stable")[::-1].astype(np.intp)
    total = float(answer.log_evidence[0])
    found = _search(model, evidence, order, total, count)
    present = np.zeros((len(found), n_causes), dtype=bool)
    for row, (_, states) in enumerate(found):
        present[row, order] = states
    probability = np.exp(np.array([log for log, _ in found]) - total)
    return Explanations(frozen(present), frozen(probability))


_Node = tuple[float, int, tuple[bool, ...]]


def _search(
    model: NoisyModel, evidence: Evidence, order: IntArray, total: float, count: int
) -> list[tuple[float, tuple[bool, ...]]]:
    """Return (log P(states, evidence), states by `order`) of the best complete decisions."""
    ticket = itertools.count()
    frontier: list[_Node] = [(-total, next(ticket), ())]
    complete: list[tuple[float, tuple[bool, ...]]] = []
    steps = 0
    while frontier and len(complete) < count:
        batch: list[tuple[bool, ...]] = []
        while frontier and len(batch) < AT_ONCE and len(complete) < count:
            bound, _, states = heapq.heappop(frontier)
            if len(states) < len(order):
                batch.append(states)
            elif batch:
                # A partial decision that is being looked at may still hold a better one.
                heapq.heappush(frontier, (bound, next(ticket), states))
                break
            else:
                complete.append((-bound, states))
        steps += len(batch)
        if steps > MOST_STEPS:
            got = Phrase(f"{count} sets, of which {len(complete)} were found")
            raise BayesdxError(Fault("explanations", "a case with few likely sets of causes", got))
        children = [(*states, state) for states in batch for state in (False, True)]
        for log, child in zip(_bounds(model, evidence, order, children), children, strict=True):
            if log > -np.inf:
                heapq.heappush(frontier, (-log, next(ticket), child))
    return complete


def _bounds(
    model: NoisyModel, evidence: Evidence, order: IntArray, partial: list[tuple[bool, ...]]
) -> FloatArray:
    """Return log P(decided causes, evidence) of partial decisions."""
    if not partial:
        return np.zeros(0)
    rows = evidence.take(np.zeros(len(partial), dtype=np.intp))
    causes = rows.causes.copy()
    contradicted = np.zeros(len(partial), dtype=bool)
    for row, states in enumerate(partial):
        decided = order[: len(states)]
        known = causes[row, decided]
        contradicted[row] = ((known >= 0) & (known != np.array(states))).any()
        causes[row, decided] = states
    return np.where(contradicted, -np.inf, _log_evidence(model, _clamped(rows, causes)))


def _clamped(evidence: Evidence, causes: np.typing.NDArray[np.int8]) -> Evidence:
    return Evidence(evidence.findings, evidence.lower, evidence.upper, evidence.risks, causes)


def _log_evidence(model: NoisyModel, evidence: Evidence) -> FloatArray:
    return posteriors(model, evidence, only_evidence=True).complete().log_evidence
