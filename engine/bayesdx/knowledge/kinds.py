"""The kinds of entries that files hold: how each is validated, and what stands in for a bad one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from bayesdx.knowledge.learning_schema import Learning
from bayesdx.knowledge.question_schema import Asker, Effort
from bayesdx.knowledge.red_flag_schema import RedFlag
from bayesdx.knowledge.schema import (
    Cause,
    Finding,
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

M = TypeVar("M", bound=BaseModel)

SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
SOURCE_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
STATEMENT_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
"""How a statement is named."""

_NUMBER = {"value": 0.5, "basis": "JUDGEMENT", "source": "", "denominator": "-"}
_TEXTS = {"label": "-", "question": "-", "observed_by": "patient", "category": "-"}


@dataclass(frozen=True)
class EntryKind(Generic[M]):
    """One kind of entry: how it is validated and what stands in for a missing key."""

    model: type[M]
    placeholder: dict[str, Any]
    key: re.Pattern[str] = SNAKE_CASE
    key_words: str = "an id in snake_case"


CAUSE = EntryKind(Cause, {"label": "-", "kind": "cause", "description": "-"})
FINDING = EntryKind(Finding, _TEXTS | {"kind": "binary"})
RISK = EntryKind(Risk, _TEXTS | {"prevalence": _NUMBER})
MEASURE = EntryKind(Measure, _TEXTS | {"unit": "-", "range": [0.0, 1.0], "sets": []})
GROUP = EntryKind(Group, {"label": "-", "kind": "class", "members": []})
SOURCE = EntryKind(
    Source,
    {"title": "-", "seen": False},
    SOURCE_KEY,
    "a key of letters, digits and _",
)
STATEMENT = EntryKind(
    Statement,
    {
        "document": "",
        "section": "-",
        "kind": "finding",
        "says": "-",
        "strength": "-",
        "denominator": "-",
    },
    STATEMENT_KEY,
    "an id of letters, digits, _ and -",
)
CONSTRAINT = EntryKind(
    Constraint,
    {"id": "unreadable", "statements": ["-"], "hard": False, "event": "-", "between": [0.0, 0.5]},
)
TEXT = EntryKind(
    Text,
    {
        "id": "unreadable",
        "kind": "advice",
        "title": "-",
        "text": "-",
        "statements": ["-"],
        "sources": [""],
        "basis": "JUDGEMENT",
        "always": True,
    },
)
TEXT_SETTINGS = EntryKind(TextSettings, {"driver_from": 0.25, "cause_from": 0.15})
TRIAGE = EntryKind(
    Triage,
    {
        "basis": "JUDGEMENT",
        "sources": [""],
        "loss_ratio": {"emergency": 1.0, "urgent": 1.0, "soon": 1.0},
    },
)
EFFORT = EntryKind(
    Effort,
    {
        "observed_by": "patient",
        "cost": 1.0,
        "delay_hours": 0.0,
        "basis": "JUDGEMENT",
        "source": "",
    },
)
ASKER = EntryKind(Asker, {"id": "unreadable", "label": "-", "asks": ["patient"]})
CALIBRATION = EntryKind(Calibration, {"computed_from": ""})
LEARNING = EntryKind(
    Learning,
    {"computed_from": "", "cases": 0, "labelled": 0, "sample": "selected"},
)
WORD = EntryKind(
    Word,
    {"wording": "-", "rule": "-", "distribution": "-", "basis": "JUDGEMENT"},
)
SCALE = EntryKind(Scale, {"name": "-", "source": "", "basis": "JUDGEMENT", "points": {}})
RULE = EntryKind(
    RedFlag,
    {
        "id": "unreadable",
        "level": "routine",
        "title": "-",
        "advice": "-",
        "sources": [""],
        "basis": "JUDGEMENT",
        "when": {"all": ["unreadable"]},
    },
)
CARD = EntryKind(
    ModelCard,
    {
        "name": "-",
        "version": "-",
        "reference_population": "-",
        "intended_use": "-",
        "leak_floor": 0.1,
        "equivalent_sample_size": {},
    },
)


@dataclass(frozen=True)
class FileShape:
    """What one file of a knowledge folder holds.

    Attributes
    ----------
    whole : EntryKind, optional
        The file is one entry.
    entries : EntryKind, optional
        It holds tables by id, each an entry.
    rows : mapping of str to EntryKind
        It holds arrays of tables by these keys.
    tables : mapping of str to EntryKind
        It holds single tables by these keys.
    """

    whole: EntryKind[Any] | None = None
    entries: EntryKind[Any] | None = None
    rows: Mapping[str, EntryKind[Any]] = field(default_factory=dict)
    tables: Mapping[str, EntryKind[Any]] = field(default_factory=dict)


FILES: Mapping[str, FileShape] = MappingProxyType(
    {
        "model.toml": FileShape(whole=CARD),
        "causes": FileShape(whole=CAUSE),
        "findings.toml": FileShape(entries=FINDING),
        "risks.toml": FileShape(entries=RISK),
        "measures.toml": FileShape(entries=MEASURE),
        "groups.toml": FileShape(entries=GROUP),
        "sources.toml": FileShape(entries=SOURCE),
        "statements.toml": FileShape(entries=STATEMENT),
        "word_scale.toml": FileShape(rows={"word": WORD, "scale": SCALE}),
        "red_flags.toml": FileShape(rows={"rule": RULE}, tables={"triage": TRIAGE}),
        "questions.toml": FileShape(rows={"effort": EFFORT, "asker": ASKER}),
        "constraints.toml": FileShape(rows={"constraint": CONSTRAINT}),
        "management.toml": FileShape(rows={"text": TEXT}, tables={"settings": TEXT_SETTINGS}),
        "pitfalls.toml": FileShape(rows={"text": TEXT}),
        "calibration.toml": FileShape(whole=CALIBRATION),
        "learned.toml": FileShape(whole=LEARNING),
    }
)
"""The files of a folder; ``causes`` stands for each file of that folder."""
