"""One case beside the same case with other findings or other priors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from bayesdx.diagnosis.cases import Cases
from bayesdx.diagnosis.core import Core, build_core, required_mapping
from bayesdx.diagnosis.ranking import ranking
from bayesdx.diagnosis.results import Result, Status
from bayesdx.diagnosis.scoring import STATUSES, UNEXPLAINED, Scores, flag_names, score_cases
from bayesdx.errors import Fault, InvalidCase, InvalidKnowledge, Phrase
from bayesdx.inference.noisy.model import FloatArray, IntArray
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.profile_schema import Profile
from bayesdx.knowledge.profiles import with_priors, with_profile
from bayesdx.knowledge.red_flag_schema import LEVELS, Level


@dataclass(frozen=True)
class CaseOutcome(Result):
    """What an answer comes to.

    Attributes
    ----------
    first : str
        The cause with the highest posterior.
    urgency : str
    status : str
    flags : tuple of str
        Rules that fired, and ``expected_loss:`` with causes whose expected loss calls.
    log_evidence : float
        ``-inf`` when the evidence is impossible.
    """

    first: str
    urgency: Level
    status: Status
    flags: tuple[str, ...]
    log_evidence: float


@dataclass(frozen=True, eq=False, repr=False)
class WhatIf(Result):
    """Before and after.

    Attributes
    ----------
    table : DataFrame
        Index ``cause``, sorted by the posterior after, last ``unexplained``: label, before, after,
        change (of the log-odds; 0 where excluded on both sides, infinite where on one),
        rank_before, rank_after (0 for ``unexplained``), prior_before, prior_after. Where a side is
        impossible the priors stand in the place of its posteriors.
    before, after : CaseOutcome
    changed : mapping of str to (str, str)
        What was understood of each finding that differs, before and after; ``unknown`` where it is
        not known.
    priors : mapping of str to (float, float)
        Priors that differ, before and after.
    """

    table: pd.DataFrame
    before: CaseOutcome
    after: CaseOutcome
    changed: Mapping[str, tuple[str, str]]
    priors: Mapping[str, tuple[float, float]]


def what_if(
    core: Core,
    findings: Mapping[str, object],
    change: Mapping[str, object] | None = None,
    *,
    priors: Mapping[str, float] | None = None,
    profile: Profile | None = None,
) -> WhatIf:
    """Answer one case as it is and as it would be; see `Engine.what_if`."""
    required_mapping("change", "a mapping of names to values", {} if change is None else change)
    if not change and not priors and profile is None:
        raise InvalidCase(
            Fault("change", "a finding or prior that would be otherwise", Phrase("none"))
        )
    other = core
    if priors or profile is not None:
        other = build_core(changed_knowledge(core.knowledge, priors, profile), core.backend)
    before, after = core.read_case(findings), other.read_case(merged(core, findings, change or {}))
    scores = score_cases(core, before), score_cases(other, after)
    return WhatIf(
        table=_table(core, other, scores[0], scores[1]),
        before=outcome(core, scores[0]),
        after=outcome(other, scores[1]),
        changed=_changed(core, other, before, after),
        priors={
            name: (float(old), float(new))
            for name, old, new in zip(core.causes, core.prior, other.prior, strict=False)
            if old != new
        },
    )


def changed_knowledge(
    knowledge: Knowledge, priors: Mapping[str, float] | None, profile: Profile | None
) -> Knowledge:
    """Return knowledge with the priors of a profile and then those given one by one."""
    if priors is not None:
        required_mapping("priors", "a mapping of causes to probabilities", priors)
    given: object = profile
    if not isinstance(given, Profile | None):
        expected = "a Profile (read_profile reads a file; load takes the name of a setting)"
        raise InvalidKnowledge(Fault("profile", expected, given))
    if profile is not None:
        knowledge = with_profile(knowledge, profile)
    return with_priors(knowledge, priors) if priors else knowledge


def merged(
    core: Core, findings: Mapping[str, object], change: Mapping[str, object]
) -> dict[str, object]:
    """Return findings with some replaced, whatever name each goes by."""
    new = {_name(core, name, value) for name, value in change.items()}
    kept = {one: value for one, value in findings.items() if _name(core, one, value) not in new}
    return kept | dict(change)


def _name(core: Core, name: str, value: object) -> str:
    """Return the id that a name or alias stands for."""
    return core.read_case({name: value}).given[0][0]


def outcome(core: Core, scores: Scores) -> CaseOutcome:
    """Say what one scored case comes to."""
    names = flag_names(core)
    return CaseOutcome(
        first=core.causes[int(scores.posterior[0, :-1].argmax())],
        urgency=LEVELS[scores.urgency[0]],
        status=STATUSES[scores.status[0]],
        flags=tuple(name for name, fired in zip(names, scores.flags[0], strict=True) if fired),
        log_evidence=float(scores.log_evidence[0]),
    )


def _table(core: Core, other: Core, before: Scores, after: Scores) -> pd.DataFrame:
    old, new = before.posterior[0], after.posterior[0]
    labels = [core.knowledge.causes[name].label for name in core.causes]
    table = pd.DataFrame(
        {
            "label": [*labels, "No modelled cause"],
            "before": old,
            "after": new,
            "change": change_of_log_odds(old, new),
            "rank_before": np.append(ranks(old[:-1]), 0),
            "rank_after": np.append(ranks(new[:-1]), 0),
            "prior_before": core.prior,
            "prior_after": other.prior,
        },
        index=pd.Index([*core.causes, UNEXPLAINED], name="cause"),
    )
    return table.iloc[[*ranking(new[None, :-1])[0], len(old) - 1]]


def change_of_log_odds(before: FloatArray, after: FloatArray) -> FloatArray:
    """Return the difference of log-odds; 0 between equals, also where both are infinite."""
    with np.errstate(divide="ignore", invalid="ignore"):
        change = special.logit(after) - special.logit(before)
    return np.where(before == after, 0.0, change)


def ranks(posterior: FloatArray) -> IntArray:
    """Return positions by falling posterior, from 1."""
    result = np.empty(len(posterior), dtype=np.intp)
    result[ranking(posterior[None])[0]] = np.arange(1, len(posterior) + 1)
    return result


def _changed(core: Core, other: Core, before: Cases, after: Cases) -> dict[str, tuple[str, str]]:
    old, new = core.understood(before), other.understood(after)
    names: Sequence[str] = list(dict.fromkeys([*old, *new]))
    return {
        name: (old.get(name, "unknown"), new.get(name, "unknown"))
        for name in names
        if old.get(name) != new.get(name)
    }
