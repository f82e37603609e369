"""From parsed TOML to models, entry by entry, so that one bad entry does not hide the others.

A fault in an entry is repaired in memory (an unknown key is left out, a wrong value is replaced by
a placeholder) and the entry is validated again. The checks between files can then look at all
entries, and the reader can report everything at once. Nothing that was repaired ever leaves the
reader: it raises.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bayesdx.errors import Fault, nearest_names
from bayesdx.knowledge.folders import OTHER_FILES, Folder
from bayesdx.knowledge.kinds import (
    ASKER,
    CALIBRATION,
    CARD,
    CAUSE,
    CONSTRAINT,
    EFFORT,
    FILES,
    FINDING,
    GROUP,
    LEARNING,
    MEASURE,
    RISK,
    RULE,
    SCALE,
    SOURCE,
    STATEMENT,
    TEXT,
    TEXT_SETTINGS,
    TRIAGE,
    WORD,
    EntryKind,
)
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
from bayesdx.knowledge.shapes import Path, describe_errors, join
from bayesdx.knowledge.statement_schema import Calibration, Constraint, Statement
from bayesdx.knowledge.text_schema import Text, TextSettings
from bayesdx.knowledge.triage_schema import Triage

M = TypeVar("M", bound=BaseModel)

MOST_REPAIRS = 20


@dataclass
class Drafts:
    """What was read so far.

    Attributes
    ----------
    damaged : set of str
        Places (``file:entry``) of entries that had to be repaired; checks of their insides would
        only repeat the fault.
    missing : set of str
        Files that could not be read; what refers to their entries cannot be judged.
    left_out : set of str
        Files that the folder does without; one is at fault once something refers to its entries.
    """

    card: ModelCard | None = None
    causes: dict[str, Cause] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)
    risks: dict[str, Risk] = field(default_factory=dict)
    measures: dict[str, Measure] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    words: tuple[Word, ...] = ()
    scales: tuple[Scale, ...] = ()
    red_flags: tuple[RedFlag, ...] = ()
    triage: Triage | None = None
    efforts: tuple[Effort, ...] = ()
    askers: tuple[Asker, ...] = ()
    statements: dict[str, Statement] = field(default_factory=dict)
    constraints: tuple[Constraint, ...] = ()
    text_settings: TextSettings | None = None
    management: tuple[Text, ...] = ()
    pitfalls: tuple[Text, ...] = ()
    calibration: Calibration | None = None
    learning: Learning | None = None
    faults: list[Fault] = field(default_factory=list)
    damaged: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)

    def add(self, place: str, expected: str, got: object, names: Iterable[str] = ()) -> None:
        """Note a fault, with the names that resemble what was got.

        A place that is already known to be wrong may hold a placeholder; it is left alone.
        """
        if not any(fault.place == place for fault in self.faults):
            near = nearest_names(got, names) if isinstance(got, str) else ()
            self.faults.append(Fault(place, expected, got, near))

    def has_fault_at(self, *places: str) -> bool:
        """Whether a fault stands at or below one of the places.

        What is computed from numbers that are at fault themselves would only repeat the fault.
        """
        return any(fault.place.startswith(places) for fault in self.faults)


def cause_file(cause: str) -> str:
    """Return the file of a cause, relative to the priors folder."""
    return f"causes/{cause}.toml"


def draft_knowledge(folder: Folder) -> Drafts:
    """Validate every entry of every file.

    Parameters
    ----------
    folder : Folder
        The parsed files.

    Returns
    -------
    Drafts
        The models, with the faults of their shapes.
    """
    draft = Drafts(faults=list(folder.faults))
    draft.missing = {fault.place.split(":")[0] for fault in folder.faults}
    draft.left_out = set(OTHER_FILES) - folder.tables.keys() - draft.missing
    if (card := folder.tables.get("model.toml")) is not None:
        draft.card = _validate(draft, CARD, "model.toml:", card)
    for name in sorted(folder.tables):
        if name.startswith("causes/"):
            stem = PurePosixPath(name).stem
            _check_key(draft, CAUSE, name, stem)
            draft.causes[stem] = _validate(draft, CAUSE, f"{name}:", folder.tables[name], stem)
    draft.findings = dict(_entries(draft, FINDING, folder, "findings.toml"))
    draft.risks = dict(_entries(draft, RISK, folder, "risks.toml"))
    draft.measures = dict(_entries(draft, MEASURE, folder, "measures.toml"))
    draft.groups = dict(_entries(draft, GROUP, folder, "groups.toml"))
    draft.sources = dict(_entries(draft, SOURCE, folder, "sources.toml"))
    draft.words = tuple(_rows(draft, WORD, folder, "word_scale.toml", "word"))
    draft.scales = tuple(_rows(draft, SCALE, folder, "word_scale.toml", "scale"))
    draft.red_flags = tuple(_rows(draft, RULE, folder, "red_flags.toml", "rule"))
    draft.triage = _table(draft, TRIAGE, folder, "red_flags.toml", "triage")
    draft.efforts = tuple(_rows(draft, EFFORT, folder, "questions.toml", "effort"))
    draft.askers = tuple(_rows(draft, ASKER, folder, "questions.toml", "asker"))
    _draft_statements(draft, folder)
    for name, shape in FILES.items():
        if known := (*shape.rows, *shape.tables):
            _refuse_other_keys(draft, folder, name, known)
    return draft


def _draft_statements(draft: Drafts, folder: Folder) -> None:
    """Validate the files about the documents, which a folder may do without."""
    draft.statements = dict(_entries(draft, STATEMENT, folder, "statements.toml"))
    draft.constraints = tuple(_rows(draft, CONSTRAINT, folder, "constraints.toml", "constraint"))
    draft.management = tuple(_rows(draft, TEXT, folder, "management.toml", "text"))
    draft.pitfalls = tuple(_rows(draft, TEXT, folder, "pitfalls.toml", "text"))
    draft.text_settings = _table(draft, TEXT_SETTINGS, folder, "management.toml", "settings")
    if (raw := folder.tables.get("calibration.toml")) is not None:
        draft.calibration = _validate(draft, CALIBRATION, "calibration.toml:", raw)
    if (raw := folder.tables.get("learned.toml")) is not None:
        draft.learning = _validate(draft, LEARNING, "learned.toml:", raw)


def _entries(
    draft: Drafts, kind: EntryKind[M], folder: Folder, name: str
) -> Iterator[tuple[str, M]]:
    """Validate a file of tables by id."""
    for key, raw in folder.tables.get(name, {}).items():
        _check_key(draft, kind, f"{name}:{key}", key)
        if isinstance(raw, dict):
            yield key, _validate(draft, kind, f"{name}:{key}", raw, key)
        else:
            draft.faults.append(Fault(f"{name}:{key}", "a table", raw))


def _rows(draft: Drafts, kind: EntryKind[M], folder: Folder, name: str, key: str) -> Iterator[M]:
    """Validate an array of tables."""
    if name not in folder.tables:
        return
    rows = folder.tables[name].get(key, [])
    if not isinstance(rows, list):
        draft.faults.append(Fault(f"{name}:{key}", f"an array of tables, [[{key}]]", rows))
        return
    for index, raw in enumerate(rows):
        place = f"{name}:{key}[{index}]"
        if isinstance(raw, dict):
            yield _validate(draft, kind, place, raw)
        else:
            draft.faults.append(Fault(place, "a table", raw))


def _refuse_other_keys(draft: Drafts, folder: Folder, name: str, known: tuple[str, ...]) -> None:
    for key in folder.tables.get(name, {}):
        if key not in known:
            expected = "only " + " and ".join(f"[[{word}]]" for word in known)
            draft.faults.append(Fault(f"{name}:{key}", expected, key))


def _table(draft: Drafts, kind: EntryKind[M], folder: Folder, name: str, key: str) -> M | None:
    """Validate one table of a file, where it is there."""
    raw = folder.tables.get(name, {}).get(key)
    if raw is None:
        return None
    if not isinstance(raw, dict):
        draft.faults.append(Fault(f"{name}:{key}", "a table", raw))
        return None
    return _validate(draft, kind, f"{name}:{key}", raw)


def _check_key(draft: Drafts, kind: EntryKind[M], place: str, name: str) -> None:
    if not kind.key.fullmatch(name):
        draft.faults.append(Fault(place, kind.key_words, name))


def _validate(
    draft: Drafts, kind: EntryKind[M], place: str, raw: dict[str, Any], name: str | None = None
) -> M:
    """Validate one entry, repairing it as often as needed to see all its faults."""
    given = raw
    if name is not None:
        if "id" in raw:
            draft.add(join(place, "id"), "no id: the table or file gives it", raw["id"])
        given = {**raw, "id": name}
    seen: set[str] = set()
    for _ in range(MOST_REPAIRS):
        try:
            return kind.model.model_validate(given)
        except ValidationError as reason:
            draft.damaged.add(place)
            given = copy.deepcopy(given)
            found = describe_errors(kind.model, place, reason)
            for fault, path in found:
                if any(
                    f"{one}.".startswith((f"{fault.place}.", f"{fault.place}[")) for one in seen
                ):
                    # A repair did not help, or left too little: give up the whole key.
                    _repair(given, path[:1], kind.placeholder)
                else:
                    draft.faults.append(fault)
                    _repair(given, path, kind.placeholder)
            seen |= {fault.place for fault, _ in found}
    stand_in = kind.placeholder if name is None else {**kind.placeholder, "id": name}
    return kind.model.model_validate(stand_in)


_STAND_INS: dict[str | int, Any] = {
    "any_of": [],
    "basis": "JUDGEMENT",
    "denominator": "-",
    "measure": "relative_risk",
    "parameterisation": "net",
    "probability": 0.5,
    "source": "",
    "value": 0.5,
}
"""What a wrong value inside an entry is replaced by, so that its neighbours are still checked."""


def _repair(given: dict[str, Any], path: Path, placeholder: dict[str, Any]) -> None:
    """Take the fault at `path` out of a raw entry, in place."""
    container: Any = given
    for step in path[:-1]:
        container = _step(container, step)
    last = path[-1] if path else ""
    if len(path) > 1 and isinstance(container, dict) and last in container.keys() | _STAND_INS:
        if last in _STAND_INS:
            container[last] = _STAND_INS[last]
            container.pop("range", None)  # it belongs to the value that was replaced
        else:
            del container[last]
    elif path and path[0] in placeholder:
        given[str(path[0])] = placeholder[str(path[0])]
    else:
        given.pop(str(last if not path else path[0]), None)


def _step(container: Any, step: str | int) -> Any:
    if isinstance(container, dict):
        return container.get(str(step))
    if isinstance(container, list) and isinstance(step, int) and step < len(container):
        return container[step]
    return None
