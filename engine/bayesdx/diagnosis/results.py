"""What a diagnosis is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from bayesdx.diagnosis.diagnosis_html import diagnosis_html
from bayesdx.diagnosis.red_flags import Outcome
from bayesdx.diagnosis.texts import TextHit
from bayesdx.diagnosis.triage import TriageHit
from bayesdx.knowledge.red_flag_schema import Level

Status = Literal["ok", "impossible", "no_findings"]

OK: Status = "ok"
IMPOSSIBLE: Status = "impossible"
NO_FINDINGS: Status = "no_findings"


@dataclass(frozen=True, slots=True)
class RedFlagHit:
    """A red-flag rule that fired, or that what was not asked could still make fire.

    Attributes
    ----------
    id, level, title, advice : str
    outcome : str
        ``"fired"`` or ``"open"``.
    because : tuple of str
        What made it fire.
    not_asked : tuple of str
        What keeps it open.
    statements : tuple of str
        Ids of the statements it rests on.
    """

    id: str
    level: Level
    title: str
    advice: str
    outcome: Outcome
    because: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """The answer for one case.

    Attributes
    ----------
    table : DataFrame
        Index ``cause``, sorted by posterior: label, prior, posterior, ratio (posterior odds over
        prior odds), urgency, basis. Excluded causes are 0. The last row, ``unexplained``, is the
        probability that no modelled cause is present. Posteriors do not sum to 1: several causes
        may be present at once. When the evidence is impossible posteriors are not defined, and
        the priors stand in their place.
    groups : DataFrame
        Index ``group``: label, kind, prior, posterior of "at least one member is present".
    red_flags : tuple of RedFlagHit
        Rules that fired, then rules that are open, the most pressing first.
    urgency : str
        ``emergency``, ``urgent``, ``soon``, ``routine`` or ``self_care``: the highest level of the
        rules that fired and of `triage`, which can raise it and never lowers it.
    triage : tuple of TriageHit
        Dangerous causes whose expected loss calls for action, the greatest loss first; empty when
        nothing is known or the evidence is impossible.
    pitfalls : tuple of TextHit
        What is easily missed in such a case; each may name causes to look at whatever their rank.
    management : tuple of TextHit
        Education matched to the case: explanations, advice, cautions, tests, questions.
    log_evidence : float
        Natural log of P(what was found); ``-inf`` when it is impossible.
    status : str
        ``"ok"``, ``"impossible"`` or ``"no_findings"``.
    clashes : tuple of str
        When impossible: a smallest set of what was given that cannot occur together.
    understood : mapping of str to str
        What was read, aliases resolved.
    """

    table: pd.DataFrame
    groups: pd.DataFrame
    red_flags: tuple[RedFlagHit, ...]
    urgency: Level
    log_evidence: float
    status: Status
    clashes: tuple[str, ...] = ()
    understood: Mapping[str, str] = field(default_factory=dict)
    triage: tuple[TriageHit, ...] = ()
    pitfalls: tuple[TextHit, ...] = ()
    management: tuple[TextHit, ...] = ()

    def _repr_html_(self) -> str:
        return diagnosis_html(self)
