"""Cases whose numbers leave the range of floats on the way: answered in logs instead.

The executors scale what they multiply, so that many findings that are each unlikely do no harm. A
single number below `TINY`, in the network or as soft evidence, can be beyond that scaling. It only
matters where all that is larger is ruled out, which shows: P(evidence) is then as small, zero, or
no number. Those cases are put to the general executors, which answer in logs.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayesdx.errors import InvalidNetwork
from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.general.factors import TINY, least_entry
from bayesdx.inference.general.general_network import CompiledGeneral
from bayesdx.inference.noisy.answer import Answer
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.network.cpds import CPD, NoisyMaxCPD, NoisyOrCPD, TableCPD
from bayesdx.network.network import Network

#: Bytes that the tables of one case may take.
MEMORY = 1 << 30


def doubtful_cases(model: NoisyModel, evidence: Evidence, answer: Answer) -> IntArray:
    """Return the cases whose answer by the noisy executors may be wrong.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
        Of N cases.
    answer : Answer
        As it was found.
    """
    rows = np.flatnonzero(~answer.sound)
    if len(answer.too_complex):
        rows = rows[~answer.too_complex[rows]]
    if not len(rows) or least_number(model) < TINY:
        return rows
    findings = evidence.findings[rows]
    return rows[((findings > 0.0) & (findings < TINY)).any(axis=1)]


def least_number(model: NoisyModel) -> float:
    """The least number above 0 in a model."""
    links, priors = model.links, model.risk_priors
    numbers = [links.strength, links.factor, links.leak, links.exceed, links.exceed_leak, *priors]
    tables = [_cause_table(model, c)[1] for c in range(len(model.causes))]
    return min((least_entry(one) for one in (*numbers, *tables) if one.size), default=1.0)


def _cause_table(model: NoisyModel, c: int) -> tuple[tuple[str, ...], FloatArray]:
    """Risks of a cause and P(absent, present | risks).

    That of the network, in which "absent" has all its digits, where the model's is the same.
    """
    present, name = model.cause_tables[c], model.causes[c]
    risks = tuple(model.risks[r] for r in model.cause_parents[c])
    parents, own = model.network.parents(name), model.network.table(name)
    turned = present.transpose(sorted(range(len(risks)), key=lambda i: parents.index(risks[i])))
    shape = [model.network.variables[one].cardinality if one in risks else 1 for one in parents]
    if (own[..., 1] == turned.reshape(shape)).all():
        return parents, own
    return risks, np.stack([1.0 - present, present], axis=-1)


def network_of(model: NoisyModel) -> Network:
    """Return the network that a model's numbers make, which may be others than it came from."""
    links, causes = model.links, model.causes
    cpds: list[CPD] = [
        TableCPD(name, (), prior)
        for name, prior in zip(model.risks, model.risk_priors, strict=True)
    ]
    for c, name in enumerate(causes):
        cpds.append(TableCPD(name, *_cause_table(model, c)))
    for f, name in enumerate(model.findings):
        raises = np.flatnonzero(links.strength[:, f])
        lowers = np.flatnonzero(links.factor[:, f] != 1.0)
        active, inhibiting = (tuple(causes[c] for c in one) for one in (raises, lowers))
        strengths, factors = links.strength[raises, f], links.factor[lowers, f]
        leak = float(links.leak[f])
        cpds.append(NoisyOrCPD(name, active, strengths, leak, inhibiting, factors))
    for o, name in enumerate(model.ordinals):
        at = slice(model.level_offset[o], model.level_offset[o] + model.ordinal_sizes[o] - 1)
        chosen = np.flatnonzero(links.exceed[:, at].any(axis=1))
        names = tuple(causes[c] for c in chosen)
        cpds.append(NoisyMaxCPD(name, names, links.exceed[chosen, at], links.exceed_leak[at]))
    own = model.network.variables
    return Network([own[cpd.child] for cpd in cpds], cpds)


def mended(
    model: NoisyModel,
    evidence: Evidence,
    answer: Answer,
    only_evidence: bool,
    without: BoolArray | None,
) -> Answer:
    """Return an answer in which doubtful cases are answered in logs.

    Their ``responsible`` and ``credit`` stay what they are, 0 where they are no number.
    """
    rows = doubtful_cases(model, evidence, answer)
    if not len(rows):
        return answer
    chosen = None if without is None else np.broadcast_to(without, evidence.causes.shape)[rows]
    slow = answered_in_logs(model, evidence.take(rows), only_evidence, chosen)
    answer = answer.replaced(rows, slow)
    split = [np.where(np.isfinite(one), one, 0.0) for one in (answer.responsible, answer.credit)]
    return replace(answer, responsible=split[0], credit=split[1])


def answered_in_logs(
    model: NoisyModel, evidence: Evidence, only_evidence: bool, without: BoolArray | None
) -> Answer:
    """Answer cases; see `bayesdx.inference.noisy.query.posteriors`. Those too large are so."""
    general = CompiledGeneral(network_of(model), MEMORY)
    names = () if only_evidence else model.causes
    logs, values, refused = _asked(general, model, evidence, names)
    causes = np.stack(values, axis=1) if values else np.zeros((len(evidence), 0))
    log_without = np.zeros(0)
    if without is not None:
        causes_known = np.where(without, 0, evidence.causes).astype(np.int8)
        clamped = Evidence(
            evidence.findings, evidence.lower, evidence.upper, evidence.risks, causes_known
        )
        log_without, _, more = _asked(general, model, clamped, ())
        log_without[(without & (evidence.causes == 1)).any(axis=1)] = -np.inf
        refused |= more
    return Answer(logs, causes, log_without, refused)


def _asked(
    general: CompiledGeneral, model: NoisyModel, evidence: Evidence, names: tuple[str, ...]
) -> tuple[FloatArray, list[FloatArray], BoolArray]:
    """Log evidence, P(present) of some causes, and which cases are too large."""
    place = {name: v for v, name in enumerate(general.problem.names)}
    n = len(evidence)
    states = np.full((n, len(place)), -1, dtype=np.intp)
    soft: dict[int, FloatArray] = {}
    for layer, known in ((model.risks, evidence.risks), (model.causes, evidence.causes)):
        for i, name in enumerate(layer):
            states[:, place[name]] = known[:, i]
    for i, name in enumerate(model.findings):
        present = evidence.findings[:, i]
        hard = (present == 0.0) | (present == 1.0)
        states[hard, place[name]] = present[hard].astype(np.intp)
        if not (hard | np.isnan(present)).all():
            open_ = hard | np.isnan(present)
            given = np.where(open_, np.nan, [1.0 - present, present])
            soft[place[name]] = given.T
    for i, name in enumerate(model.ordinals):
        levels = np.arange(model.ordinal_sizes[i])
        low, high = evidence.lower[:, [i]], evidence.upper[:, [i]]
        inside = (low <= levels) & (levels <= high)
        if not inside.all():
            soft[place[name]] = inside.astype(np.float64)
    try:
        answer = general.query(states, soft, names)
    except InvalidNetwork:
        return np.full(n, -np.inf), [np.zeros(n) for _ in names], np.ones(n, dtype=np.bool_)
    refused = np.zeros(n, dtype=np.bool_)
    refused[list(answer.refused)] = True
    return answer.log_evidence, [answer.posterior(name)[:, 1] for name in names], refused
