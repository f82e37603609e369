"""How well the model fits a case: whether it is probable enough, and hangs together.

Two Monte Carlo tests against cases that the model makes itself and that say as much
(`bayesdx.inference.noisy.reference`): the log evidence (a *rare* case) and Jensen's conflict (a
case whose findings do not *go together*). A case is said to be outside the model when either is
more extreme than half of the stated rate allows, so that at most that share of cases from the model
is said to be so (Bonferroni). The rate holds when findings were chosen as those of the references
are: ``"told"``, as when people say what they have, or ``"asked"``, as in a form that everybody
fills in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from bayesdx.checked_numbers import is_share, is_whole
from bayesdx.diagnosis.results import IMPOSSIBLE, NO_FINDINGS, OK, Result, Status
from bayesdx.errors import Fault, InvalidCase
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.conflict import Conflict, background_shares, conflicts
from bayesdx.inference.noisy.reference import p_value, reference_cases, told_cases
from bayesdx.inference.noisy.single_observations import SingleObservations, single_observations
from bayesdx.presentation.words import labels_of

if TYPE_CHECKING:
    from bayesdx.diagnosis.cases import Cases
    from bayesdx.diagnosis.core import Core
    from bayesdx.inference.noisy.model import BoolArray, IntArray, NoisyModel
    from bayesdx.knowledge.knowledge import Knowledge

#: Largest share of cases from the model that may be said to lie outside it.
FALSE_ALARM = 0.01
DRAWS = 999
MOST_DRAWS = 100_000
#: How findings came to be known.
Reporting = Literal["told", "asked"]


@dataclass(frozen=True, eq=False, repr=False)
class Surprise(Result):
    """How well the model fits one case.

    Attributes
    ----------
    outside : bool
        Whether the case is outside the model at the stated rate of false alarms; True where the
        evidence is impossible, False where there is only one observation.
    p_rare : float
        P(a case of the model is at most as probable), of which the same things are known.
    p_conflict : float
        P(a case of the model is at least as much in conflict).
    log_evidence, expected : float
        Of the case, and the mean of the references.
    conflict : float
        Jensen's measure in nats, above 0 when the observations speak against each other; ``inf``
        where they exclude each other.
    table : DataFrame
        Index ``observation``: label, value, alone (P(observation)), given_rest (P(observation |
        all others)), ratio (given_rest over alone), background (P(no modelled cause made it
        present | all), of findings that are present, otherwise missing). The observation that
        fits the others worst comes first.
    false_alarm : float
        The stated rate.
    draws : int
        References that there were; fewer than asked for where hardly a case of the model has as
        many findings present, and then too few to say more than that.
    reporting : str
        ``"told"`` or ``"asked"``.
    status : str
        ``"ok"``, ``"impossible"`` or ``"no_findings"``.
    """

    outside: bool
    p_rare: float
    p_conflict: float
    log_evidence: float
    expected: float
    conflict: float
    table: pd.DataFrame
    false_alarm: float
    draws: int
    reporting: Reporting
    status: Status

    @property
    def against(self) -> tuple[str, ...]:
        """Observations that the others make less probable, the worst first."""
        return tuple(str(name) for name in self.table.index[self.table["ratio"] < 1.0])


def surprise(
    core: Core,
    findings: Mapping[str, object] | Cases,
    *,
    draws: int = DRAWS,
    false_alarm: float = FALSE_ALARM,
    reporting: Reporting = "told",
    seed: int = 0,
) -> Surprise:
    """Say how well the model fits one case; see `Engine.surprise`.

    Fewer than ``2 / false_alarm`` draws could call nothing outside.
    """
    _check(draws, false_alarm, reporting)
    cases = core.read_case(findings)
    single = core.once(_single)
    found = conflicts(core.model, cases.evidence, single, backend=core.backend)[0]
    status: Status = OK if bool(cases.known[0]) else NO_FINDINGS
    if np.isneginf(found.log_evidence):
        status = IMPOSSIBLE
    references = _references(core, cases, draws, reporting, np.random.default_rng(seed))
    log_references = core.posteriors(references, only_evidence=True).complete().log_evidence
    p_rare = p_value(found.log_evidence, log_references)
    if len(references) < draws:
        # So many present findings are themselves rarer than any reference could show.
        p_rare = 1.0 / (draws + 1.0)
    p_conflict = p_value(-found.conflict, log_references - single.log_alone(references).sum(axis=1))
    # One observation has nothing to disagree with; rare alone, it is no stranger.
    several = status == OK and len(found.names) > 1
    extreme = several and 2.0 * min(p_rare, p_conflict) <= false_alarm
    return Surprise(
        outside=extreme or status == IMPOSSIBLE,
        p_rare=p_rare,
        p_conflict=p_conflict,
        log_evidence=found.log_evidence,
        expected=float(log_references.mean()) if len(references) else found.log_evidence,
        conflict=found.conflict,
        table=_table(core, cases, found),
        false_alarm=false_alarm,
        draws=len(references),
        reporting=reporting,
        status=status,
    )


def _references(
    core: Core, cases: Cases, draws: int, reporting: Reporting, rng: np.random.Generator
) -> Evidence:
    model, evidence = core.model, cases.evidence
    if reporting == "asked":
        exact = exact_levels(core.knowledge, model, cases)[0]
        return reference_cases(model, evidence, exact, draws, rng)
    # A combined test is no observation beside its components.
    findings = [core.knowledge.findings[name] for name in model.findings]
    single = [not finding.any_of for finding in findings]
    pool = np.array([*single, *(True for _ in model.ordinals)], dtype=bool)
    return told_cases(model, evidence, pool, draws, rng)


def exact_levels(knowledge: Knowledge, model: NoisyModel, cases: Cases) -> BoolArray:
    """Where an ordinal is known by its own column or a measure, not by thresholds only; (N, O)."""
    exact = np.zeros((len(cases.evidence), len(model.ordinals)), dtype=bool)
    for name, values in cases.given:
        measure = knowledge.measures.get(name)
        sets = {name} if measure is None else {setting.target for setting in measure.sets}
        for o, ordinal in enumerate(model.ordinals):
            if ordinal in sets:
                exact[:, o] |= ~np.isnan(values)
    return exact


def _check(draws: int, false_alarm: float, reporting: str) -> None:
    if reporting not in get_args(Reporting):
        raise InvalidCase(Fault("reporting", "told or asked", reporting))
    if not is_share(false_alarm):
        raise InvalidCase(Fault("false_alarm", "a rate between 0 and 1", false_alarm))
    least = int(np.ceil(2.0 / false_alarm)) - 1
    if not is_whole(draws, least, MOST_DRAWS):
        expected = f"a whole number from {least} to {MOST_DRAWS}"
        raise InvalidCase(Fault("draws", expected, draws))


def _single(core: Core) -> SingleObservations:
    return single_observations(core.model, core.backend)


def _table(core: Core, cases: Cases, found: Conflict) -> pd.DataFrame:
    labels = labels_of(core.knowledge)
    shares = background_shares(core.model, cases.evidence, backend=core.backend)
    alone, rest = np.exp(found.log_alone), np.exp(found.log_given_rest)
    ratio = np.divide(rest, alone, out=np.zeros_like(rest), where=alone > 0.0)
    table = pd.DataFrame(
        {
            "label": [labels[name] for name in found.names],
            "value": [_said(core, cases.evidence, name) for name in found.names],
            "alone": alone,
            "given_rest": rest,
            "ratio": ratio,
            "background": [shares.get(name, np.nan) for name in found.names],
        },
        index=pd.Index(found.names, name="observation"),
    )
    order: IntArray = np.argsort(ratio, kind="stable")
    return table.take(order)


def _said(core: Core, evidence: Evidence, name: str) -> str:
    model = core.model
    if name in model.findings:
        value = float(evidence.findings[0, model.findings.index(name)])
        return core.states[name][int(value)] if value == int(value) else f"{value:g}"
    if name in model.risks:
        return core.states[name][int(evidence.risks[0, model.risks.index(name)])]
    o = model.ordinals.index(name)
    low, high = int(evidence.lower[0, o]), int(evidence.upper[0, o])
    ends = dict.fromkeys((core.states[name][low], core.states[name][high]))
    return " to ".join(ends)
