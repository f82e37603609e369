"""Everything in a priors folder, as one value."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from bayesdx.frozen import FrozenDict
from bayesdx.knowledge.learning_schema import Learning
from bayesdx.knowledge.profile_schema import Profile
from bayesdx.knowledge.question_schema import Asker, Effort
from bayesdx.knowledge.red_flag_schema import RedFlag, read_leaf, subjects
from bayesdx.knowledge.schema import (
    Cause,
    Code,
    Finding,
    Frozen,
    Group,
    Measure,
    ModelCard,
    Risk,
    Scale,
    Source,
    Word,
)
from bayesdx.knowledge.statement_schema import Calibration, Constraint, Statement
from bayesdx.knowledge.text_schema import Text, TextSettings
from bayesdx.knowledge.triage_schema import Triage


class Exclusion(NamedTuple):
    """A finding or risk that cannot be present where another one is in one of some states.

    Attributes
    ----------
    present, subject : str
    states : tuple of int
        Positions among the states of the subject.
    """

    present: str
    subject: str
    states: tuple[int, ...]


class Knowledge(Frozen):
    """Everything in a priors folder, checked; every dict is by id and cannot be changed.

    Attributes
    ----------
    codes : mapping of str to tuple of Code
        Of a map of one's own, by id; see `bayesdx.knowledge.codes`.
    setting : Profile, optional
        Whose priors have taken the place of those of R.
    digest : str
        SHA-256 over the names and contents of the files, and of a setting, the same on every
        platform.
    folder : Path
        Where it was read.
    """

    model: ModelCard
    causes: dict[str, Cause]
    findings: dict[str, Finding]
    risks: dict[str, Risk]
    measures: dict[str, Measure]
    groups: dict[str, Group]
    sources: dict[str, Source]
    words: tuple[Word, ...]
    scales: tuple[Scale, ...]
    red_flags: tuple[RedFlag, ...]
    triage: Triage | None = None
    efforts: tuple[Effort, ...] = ()
    askers: tuple[Asker, ...] = ()
    statements: dict[str, Statement] = Field(default_factory=FrozenDict)
    constraints: tuple[Constraint, ...] = ()
    text_settings: TextSettings | None = None
    management: tuple[Text, ...] = ()
    pitfalls: tuple[Text, ...] = ()
    calibration: Calibration | None = None
    learning: Learning | None = None
    codes: dict[str, tuple[Code, ...]] = Field(default_factory=FrozenDict)
    setting: Profile | None = None
    digest: str
    folder: Path

    @property
    def exclusions(self) -> list[Exclusion]:
        """What cannot be together."""
        every: list[Finding | Risk] = [*self.findings.values(), *self.risks.values()]
        found = []
        for one in every:
            for test in map(read_leaf, one.excludes):
                states = (self.findings.get(test.subject) or self.risks[test.subject]).states
                found.append(Exclusion(one.id, test.subject, tuple(map(states.index, test.states))))
        return found

    @property
    def urgency_only(self) -> frozenset[str]:
        """Findings that count for rules of urgency and move no cause, whatever is answered."""
        acting = {name for cause in self.causes.values() for name in cause.links}
        acting |= {self.findings[name].threshold_of or name for name in acting}
        implied = {name for other in acting for name in self.findings[other].implies}
        tied = {
            name
            for name, one in self.findings.items()
            if name in implied or acting & {*one.implies, *one.any_of, one.threshold_of}
        }
        asked = {name for rule in self.red_flags for name in subjects(rule.when)}
        asked |= {self.findings[name].threshold_of or name for name in asked & self.findings.keys()}
        return frozenset(asked & self.findings.keys() - acting - tied)
