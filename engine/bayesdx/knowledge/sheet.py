"""A knowledge folder out of one table: a row a number.

A row with a cause and a finding is P(finding | cause), a row with a cause alone how common the
cause is, a row with a finding alone how common the finding is without its causes. Everything else
(risks, inhibitors, rules of several findings) is written into the folder afterwards.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from bayesdx.errors import NOTHING, Fault, InvalidKnowledge, Phrase, nearest_names
from bayesdx.knowledge.folders import parse_files
from bayesdx.knowledge.reading import check_folder
from bayesdx.knowledge.red_flag_schema import LEVELS
from bayesdx.knowledge.schema import BASES, Observer, Word
from bayesdx.knowledge.word_scale import find_word, word_mean

NEEDED = ("cause", "finding", "probability", "source")
FURTHER = ("low", "high", "basis", "urgency", "dangerous", "observed_by", "red_flag", "note")
#: Of these, what is said of a cause, and of a finding, each in a row of its own.
_OF_CAUSES, _OF_FINDINGS = ("urgency", "dangerous"), ("observed_by", "red_flag")
LARGEST = 1 << 20
"""Bytes of the largest sheet that is read."""
MOST_ID = 60
ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "emergency": "Get emergency help now.",
        "urgent": "Be examined today.",
        "soon": "Be examined within a few days.",
        "routine": "Arrange an ordinary appointment.",
        "self_care": "Look again if it gets worse or a new sign appears.",
    }
)
"""What a rule of the sheet says to do, until its author says it better."""
NOBODY_YET = "R: not said yet. Say here who these people are, and who they are not."
"""Of whom a folder out of a sheet speaks, until its author says so; `lint` asks for it."""
_OBSERVERS: tuple[Observer, ...] = get_args(Observer)
_WORDS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False, "": False}


@dataclass
class _Sheet:
    """What was read so far, and what is wrong with it."""

    words: Sequence[Word]
    causes: dict[str, dict[str, Any]] = field(default_factory=dict)
    findings: dict[str, dict[str, Any]] = field(default_factory=dict)
    links: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    flags: dict[str, tuple[str, str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def add(self, place: str, expected: str, got: object, names: Iterable[str] = ()) -> None:
        near = nearest_names(got, names) if isinstance(got, str) else ()
        self.faults.append(Fault(place, expected, got, near))


def files_of_sheet(path: Path, words: Sequence[Word]) -> dict[str, str]:
    """Make the files of a knowledge folder that passes its check out of a table of numbers.

    Parameters
    ----------
    path : Path
        A CSV file in UTF-8 with the columns ``cause, finding, probability, source`` and, where
        wanted, ``low, high`` (a range of about 90 %), ``basis``, ``urgency`` and ``dangerous`` (in
        the row of a cause alone), ``observed_by`` and ``red_flag`` (in the row of a finding alone:
        the urgency of a rule that fires when it is present), ``note``. A probability is a number,
        a percentage or a word of the scale. Causes and findings are named as people name them; an
        id in snake_case is made of the name.
    words : sequence of Word
        The scale of words, such as "often".

    Returns
    -------
    dict of str to str
        Relative file name to content.

    Raises
    ------
    InvalidKnowledge
        With everything that is wrong with the table, each fault with line and column.
    """
    sheet = _Sheet(words)
    for line, row in _rows(path, sheet):
        _take_row(sheet, f"{path.name}:{line}", row)
    for cause, finding in sheet.links:
        _check_owner(sheet, path.name, "cause", cause, sheet.causes)
        _check_owner(sheet, path.name, "finding", finding, sheet.findings)
    for name in sorted(sheet.findings.keys() & sheet.causes.keys()):
        of_cause = sheet.causes[name]["number"]["place"]
        got = Phrase(f"{name!r}, which is the cause of {of_cause}")
        sheet.add(sheet.findings[name]["number"]["place"], "an id of its own", got)
    if not sheet.causes and not sheet.faults:
        sheet.add(path.name, "a row for each cause, with finding left empty", NOTHING)
    if sheet.faults:
        raise InvalidKnowledge(sheet.faults)
    files = _written(sheet)
    try:
        check_folder(parse_files(path, {name: text.encode() for name, text in files.items()}))
    except InvalidKnowledge as refusal:
        raise InvalidKnowledge(
            replace(one, place=_line_of(sheet, one.place)) for one in refusal.faults
        ) from None
    return files


def _line_of(sheet: _Sheet, place: str) -> str:
    """Return the line of the sheet that an entry of a file was made of."""
    file, _, key = place.partition(":")
    entry, _, rest = key.partition(".")
    number = None
    if cause := re.fullmatch(r"causes/(.+)\.toml", file):
        link = rest.partition(".")[0] if entry == "links" else ""
        number = sheet.links.get((cause[1], link)) or sheet.causes[cause[1]]["number"]
    elif file == "findings.toml" and entry in sheet.findings:
        number = sheet.findings[entry]["number"]
    return place if number is None else str(number["place"])


def _rows(path: Path, sheet: _Sheet) -> list[tuple[int, dict[str, str]]]:
    if path.stat().st_size > LARGEST:
        raise InvalidKnowledge(Fault(path.name, f"at most {LARGEST} bytes", Phrase("more")))
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as reason:
        raise InvalidKnowledge(
            Fault(path.name, "text in UTF-8", Phrase(f"other bytes at {reason.start}"))
        ) from None
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    rows: list[tuple[int, dict[str, str]]] = []
    header: list[str] = []
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                continue
            if not header:
                header = _header(path, [cell.casefold() for cell in cells])
            elif len(cells) != len(header):
                sheet.add(f"{path.name}:{reader.line_num}", f"{len(header)} cells", len(cells))
            else:
                rows.append((reader.line_num, dict(zip(header, cells, strict=True))))
    except csv.Error as reason:
        raise InvalidKnowledge(
            Fault(f"{path.name}:{reader.line_num}", "a line of CSV", Phrase(str(reason)))
        ) from None
    if not header:
        raise InvalidKnowledge(Fault(path.name, f"the columns {', '.join(NEEDED)}", NOTHING))
    return rows


def _header(path: Path, names: list[str]) -> list[str]:
    known = (*NEEDED, *FURTHER)
    if len(names) == 1 and (mark := next((one for one in ";\t" if one in names[0]), "")):
        raise InvalidKnowledge(Fault(f"{path.name}:1", "commas between the cells", mark))
    faults = [
        Fault(f"{path.name}:1", f"a column {one}", NOTHING) for one in NEEDED if one not in names
    ]
    for name in names:
        if name not in known:
            expected = f"one of the columns {', '.join(known)}"
            faults.append(Fault(f"{path.name}:1", expected, name, nearest_names(name, known)))
        elif names.count(name) > 1:
            faults.append(Fault(f"{path.name}:1", f"one column {name}", Phrase(names.count(name))))
    if faults:
        raise InvalidKnowledge(dict.fromkeys(faults))
    return names


def _take_row(sheet: _Sheet, place: str, row: Mapping[str, str]) -> None:
    cause, finding = _id(sheet, place, row, "cause"), _id(sheet, place, row, "finding")
    number = _number(sheet, place, row)
    if cause:
        _nothing_in(sheet, place, row, "finding", _OF_FINDINGS)
    if finding:
        _nothing_in(sheet, place, row, "cause", _OF_CAUSES)
    if cause and finding:
        _once(sheet, place, sheet.links, (cause, finding), number)
        return
    if cause:
        urgency = row.get("urgency") or "routine"
        if urgency not in LEVELS:
            sheet.add(f"{place}:urgency", f"one of {', '.join(LEVELS)}", urgency, LEVELS)
        dangerous = row.get("dangerous", "").casefold()
        if dangerous not in _WORDS:
            sheet.add(f"{place}:dangerous", "yes or no", row["dangerous"])
        entry = {"label": row["cause"], "urgency": urgency, "dangerous": _WORDS.get(dangerous)}
        _once(sheet, place, sheet.causes, cause, entry | {"number": number})
    elif finding:
        by = row.get("observed_by") or "patient"
        if by not in _OBSERVERS:
            sheet.add(f"{place}:observed_by", f"one of {', '.join(_OBSERVERS)}", by, _OBSERVERS)
        if flag := row.get("red_flag", ""):
            if flag not in LEVELS:
                sheet.add(f"{place}:red_flag", f"one of {', '.join(LEVELS)}", flag, LEVELS)
            sheet.flags[finding] = (flag, number["source"])
        entry = {"label": row["finding"], "observed_by": by}
        _once(sheet, place, sheet.findings, finding, entry | {"number": number})
    else:
        sheet.add(place, "a cause, a finding, or both", NOTHING)


def _nothing_in(
    sheet: _Sheet, place: str, row: Mapping[str, str], kind: str, columns: Iterable[str]
) -> None:
    """Refuse what is said where it would be lost: in another row than that of its own kind."""
    for column in columns:
        if row.get(column):
            expected = f"nothing; it stands in the row of a {kind} alone"
            sheet.add(f"{place}:{column}", expected, row[column])


def _once(sheet: _Sheet, place: str, into: dict[Any, Any], key: Any, entry: object) -> None:
    if key in into:
        name = key if isinstance(key, str) else " and ".join(key)
        sheet.add(place, f"one row for {name}", Phrase("a second"))
    into[key] = entry


def _id(sheet: _Sheet, place: str, row: Mapping[str, str], column: str) -> str:
    """Return the id that is made of a name: "Runny nose" -> ``runny_nose``."""
    name = row[column]
    made = re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")[:MOST_ID].rstrip("_")
    if name and not re.match("[a-z]", made):
        sheet.add(f"{place}:{column}", "a name that begins with a letter from a to z", name)
        # As rows of no other name are called; what is wrong is said once.
        return f"x_{name.encode().hex()}"[:MOST_ID]
    return made


def _check_owner(sheet: _Sheet, file: str, kind: str, name: str, known: Iterable[str]) -> None:
    if name not in known:
        other = "finding" if kind == "cause" else "cause"
        place, expected = f"{file}: {kind} {name}", f"a row of its own, with {other} left empty"
        if not any(fault.place == place for fault in sheet.faults):
            sheet.faults.append(Fault(place, expected, NOTHING, nearest_names(name, known)))


def _number(sheet: _Sheet, place: str, row: Mapping[str, str]) -> dict[str, Any]:
    """Read probability, range, basis and source of a row."""
    given = row["probability"]
    value = _share(sheet, f"{place}:probability", given, sheet.words)
    ends = [(_share(sheet, f"{place}:{key}", row.get(key, ""), ()), key) for key in ("low", "high")]
    low, high = (end for end, _ in ends)
    number: dict[str, Any] = {"value": value, "note": row.get("note", ""), "place": place}
    if (low is None) != (high is None):
        sheet.add(place, "low and high, or neither", Phrase("one of them"))
    elif low is not None and high is not None and value is not None:
        if not low <= value <= high or low == high:
            sheet.add(place, f"low and high around {value:g}", [low, high])
        number["range"] = [low, high]
    number["basis"] = row.get("basis") or "JUDGEMENT"
    if number["basis"] not in BASES:
        sheet.add(f"{place}:basis", f"one of {', '.join(BASES)}", number["basis"], BASES)
    if not row["source"]:
        sheet.add(f"{place}:source", "where the number comes from", NOTHING)
    # A source gets a short key of its own; its text is the title.
    key = sheet.sources.setdefault(row["source"], f"source_{len(sheet.sources) + 1}")
    return number | {"source": key}


def _share(sheet: _Sheet, place: str, text: str, words: Sequence[Word]) -> float | None:
    """Read a share: a plain number, a percentage or, where words count, a word of the scale."""
    plain = text.removesuffix("%").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?|\.[0-9]+", plain):
        share = float(plain) / 100.0 if text.endswith("%") else float(plain)
        inside = 0.0 < share < 1.0 if words else 0.0 <= share <= 1.0
        if not inside:
            sheet.add(place, "a probability between 0 and 1, or a percentage", text)
        return share
    if words and (word := find_word(words, text)) is not None and (mean := word_mean(word)):
        return round(mean, 4)
    if text or words:
        usable = [word for word in words if word_mean(word)]
        named = [one.strip() for word in usable for one in word.wording.split("/")]
        expected = "a probability, a percentage" + (" or a word of the scale" if words else "")
        sheet.add(place, expected, text or NOTHING, named)
    return None


def _written(sheet: _Sheet) -> dict[str, str]:
    """Write what was read as the files of a folder."""
    files = {
        "model.toml": "#:schema schema/model.json\n"
        + _toml({"name": "My domain", "version": "0.1.0", "reference_population": NOBODY_YET})
        + _toml({"intended_use": "A first version, for teaching. Not for the care of anybody."}),
        "sources.toml": "\n".join(
            _toml({"title": title, "seen": False}, key) for title, key in sheet.sources.items()
        ),
        "findings.toml": "\n".join(
            _toml({"label": one["label"], "question": f"{one['label']}?", "kind": "binary"}, name)
            + _toml({"category": "finding", "observed_by": one["observed_by"]})
            + _stated(one["number"], f"{name}.background", denominator="R, cause absent")
            for name, one in sheet.findings.items()
        ),
    }
    if sheet.flags:
        files["red_flags.toml"] = "\n".join(
            "[[rule]]\n"
            + _toml(
                {"id": f"{name}_{level}", "level": level, "title": sheet.findings[name]["label"]}
            )
            + _toml({"advice": ADVICE[level], "sources": [source], "basis": "JUDGEMENT"})
            + f"when = {{ all = [{json.dumps(name)}] }}\n"
            for name, (level, source) in sheet.flags.items()
        )
    for name, cause in sheet.causes.items():
        content = _toml({"label": cause["label"], "kind": "cause", "description": cause["label"]})
        content += _toml({"urgency": cause["urgency"], "dangerous": cause["dangerous"]})
        content += "\n" + _stated(cause["number"], "prior", denominator="R")
        for (owner, finding), number in sheet.links.items():
            if owner == name:
                link = {"value_key": "probability", "parameterisation": "in_population"}
                content += "\n" + _stated(number, f"links.{finding}", **link)
        files[f"causes/{name}.toml"] = content
    return files


def _stated(number: Mapping[str, Any], table: str, value_key: str = "value", **more: str) -> str:
    kept = {value_key: number["value"]}
    kept |= {key: number[key] for key in ("range", "basis", "source", "note") if number.get(key)}
    return _toml(kept | more, table)


def _toml(entry: Mapping[str, Any], table: str = "") -> str:
    # Of strings, numbers, booleans and lists of them, JSON's notation is TOML's.
    lines = [f"{key} = {json.dumps(value)}" for key, value in entry.items()]
    return "\n".join(([f"[{table}]"] if table else []) + lines) + "\n"
