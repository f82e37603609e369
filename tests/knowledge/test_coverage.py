"""Every statement of the documents is somewhere, and every number names one that is there."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bayesdx.errors import InvalidKnowledge
from bayesdx.knowledge.coverage import summary
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.linting import lint
from bayesdx.knowledge.reading import read_knowledge

Write = Callable[..., Path]

LEDGER = {"S0": 71, "S1": 95, "S2": 73, "S3": 78, "X": 23}
"""How many statements of each document, and conflicts, the ledger had; later ones were added."""

ROWS = {
    "red_flags.toml": "rule",
    "management.toml": "text",
    "pitfalls.toml": "text",
    "constraints.toml": "constraint",
}

# ---- the packaged priors


@pytest.mark.parametrize("document", LEDGER)
def test_every_statement_of_the_ledger_is_there(real_knowledge: Knowledge, document: str) -> None:
    there = [one.id for one in real_knowledge.statements.values() if one.document == document]
    assert len(there) >= LEDGER[document]
    assert there == [f"{document}-{number:02}" for number in range(1, len(there) + 1)]


def test_nothing_is_unaccounted_and_no_number_is_an_orphan(real_knowledge: Knowledge) -> None:
    found = re.fullmatch(
        r"(\d+) \+ 23 statements: (\d+) realised, (\d+) contradicted, with the evidence, "
        r"(\d+) excluded, "
        r"0 unaccounted; 0 orphan numbers",
        summary(real_knowledge),
    )
    assert found is not None, summary(real_knowledge)
    stated, *accounted = map(int, found.groups())
    assert sum(accounted) == stated + 23 == len(real_knowledge.statements)


def test_packaged_statements_give_no_error(real_knowledge: Knowledge) -> None:
    assert [remark for remark in lint(real_knowledge) if remark[0] == "error"] == []


def test_no_two_statements_say_the_same(real_knowledge: Knowledge) -> None:
    first: dict[str, str] = {}
    for one in real_knowledge.statements.values():
        said = " ".join(re.findall(r"\w+", one.says.casefold()))
        assert first.setdefault(said, one.id) == one.id


def of_cause(file: str, cause: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    if "value" in cause["prior"]:
        yield f"{file}:prior", cause["prior"].get("statements", [])
    for index, effect in enumerate(cause.get("effects", [])):
        yield f"{file}:effects[{index}]", effect.get("statements", [])
    for name, link in cause.get("links", {}).items():
        yield f"{file}:links.{name}", link.get("statements", [])
    if "requires" in cause:
        yield f"{file}:requires", cause.get("requires_statements", [])


def citations(tables: Mapping[str, dict[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    """Yield every place that can cite, with what it cites, straight from the files."""
    for file in tables:
        if file.startswith("causes/"):
            yield from of_cause(file, tables[file])
    for name, finding in tables["findings.toml"].items():
        if "background" in finding:
            yield f"findings.toml:{name}.background", finding["background"].get("statements", [])
        for index, effect in enumerate(finding.get("background_effects", [])):
            place = f"findings.toml:{name}.background_effects[{index}]"
            yield place, effect.get("statements", [])
    for name, risk in tables["risks.toml"].items():
        yield f"risks.toml:{name}.prevalence", risk["prevalence"].get("statements", [])
    yield "red_flags.toml:triage", tables["red_flags.toml"]["triage"]["statements"]
    for file, key in ROWS.items():
        for row in tables[file][key]:
            yield f"{file}:{row['id']}", row.get("statements", [])


def test_numbers_and_statements_agree_both_ways(real_knowledge: Knowledge) -> None:
    folder = real_knowledge.folder
    tables = {
        path.relative_to(folder).as_posix(): tomllib.loads(path.read_text(encoding="utf-8"))
        for path in (*folder.glob("*.toml"), *folder.glob("causes/*.toml"))
    }
    citing = dict(citations(tables))
    silent = {"model.toml", "word_scale.toml", *(file for file in tables if "/" in file)}
    for file in ("findings.toml", "risks.toml", "measures.toml", "groups.toml"):
        silent |= {f"{file}:{name}" for name in tables[file]}
    told = {
        (place, name)
        for name, one in tables["statements.toml"].items()
        for place in one.get("realised_by", [])
    }
    assert {(place, name) for place, names in citing.items() for name in names} == {
        one for one in told if one[0] not in silent
    }


# ---- how statements are counted

STATEMENTS = """
[S1-02]
document = "S1"
section = "Symptoms"
kind = "finding"
says = "A strain often cramps."
strength = "often"
denominator = "people with a strain"
realised_by = ["causes/strain.toml:links.cramp"]

[S1-01]
document = "S1"
section = "Symptoms"
kind = "population"
says = "Cramps are common."
strength = "common"
denominator = "not stated"
realised_by = ["findings.toml:cramp.backgruond"]

[S2-02]
document = "S2"
section = "Warnings"
kind = "red_flag"
says = "Severe pain is a warning."
strength = "-"
denominator = "not stated"

[X-01]
document = "X"
section = "Conflicts"
kind = "conflict"
says = "The documents differ about cramps."
strength = "-"
denominator = "not stated"
excluded = "Nothing to decide."
"""


def test_summary_tells_what_is_unaccounted(small: dict[str, str], write: Write) -> None:
    small["statements.toml"] = STATEMENTS
    # The prior of the excluded diagnosis has basis SEED and names nothing.
    assert summary(read_knowledge(write(small))) == (
        "3 + 1 statements: 1 realised, 0 contradicted, with the evidence, "
        "1 excluded, 2 unaccounted; 1 orphan numbers"
    )


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ('lowers = ["causes/strain.toml:prior"]', "is not among realised_by"),
        ('given = { crmp = "present" }', "a finding or risk"),
        ('contradicted = "No."', "expected contradicted and evidence together"),
        ('contradicted = "No."\nevidence = ["nobody"]', "nobody"),
    ],
)
def test_direction_context_and_evidence_are_checked(
    small: dict[str, str], write: Write, more: str, expected: str
) -> None:
    first, *others = STATEMENTS.strip().split("\n\n")
    small["statements.toml"] = "\n\n".join([f"{first}\n{more}", *others])
    try:
        said = [message for _, _, message in lint(read_knowledge(write(small)))]
    except InvalidKnowledge as error:
        said = [str(error)]
    assert any(expected in message for message in said)


def test_document_that_is_no_source_is_an_error(small: dict[str, str], write: Write) -> None:
    small["statements.toml"] = STATEMENTS
    message = "'S2' is not in sources.toml."
    assert ("error", "statements.toml:S2-02.document", message) in lint(
        read_knowledge(write(small))
    )
    small["sources.toml"] += '[S2]\ntitle = "Second document"\nseen = true\n'
    remarks = lint(read_knowledge(write(small, "again")))
    assert "statements.toml:S2-02.document" not in [place for _, place, _ in remarks]


MOVE = """
computed_from = "0"
[[move]]
number = "causes/strain.toml:prior"
elicited = 0.13
calibrated = 0.12
constraint = "bound"
"""

BOUND = """
[[constraint]]
id = "bound"
statements = ["S1-02"]
hard = true
event = "strain"
between = [0.0, 0.5]
"""


@pytest.mark.parametrize(
    ("old", "new", "severity", "message"),
    [
        (":prior", ":priro", "error", "there is no number 'causes/strain.toml:priro'. Nearest: "),
        ("0.13", "0.14", "warning", "causes/strain.toml:prior is no longer 0.14: the move does"),
    ],
)
def test_moves_that_do_not_apply_are_pointed_out(
    small: dict[str, str], write: Write, old: str, new: str, severity: str, message: str
) -> None:
    small |= {"calibration.toml": MOVE, "constraints.toml": BOUND}
    place = "calibration.toml:move[0]"
    assert place not in [where for _, where, _ in lint(read_knowledge(write(small)))]
    small["calibration.toml"] = MOVE.replace(old, new)
    (found,) = [one for one in lint(read_knowledge(write(small, "again"))) if one[1] == place]
    assert found[0] == severity
    assert found[2].startswith(message)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("0.12", "1.2", "calibrated: expected a number below 1, got 1.2"),
        ("0.12", "0.0", "calibrated: expected a number above 0, got 0.0"),
    ],
)
def test_wrong_moves_are_named(
    small: dict[str, str], write: Write, old: str, new: str, said: str
) -> None:
    small |= {"calibration.toml": MOVE.replace(old, new), "constraints.toml": BOUND}
    place = r"^calibration\.toml:move\[0\]\."
    with pytest.raises(InvalidKnowledge, match=place + re.escape(said)):
        read_knowledge(write(small))


def test_statements_of_an_effect_without_value_count(small: dict[str, str], write: Write) -> None:
    small["statements.toml"] = STATEMENTS
    small["findings.toml"] = small["findings.toml"].replace(
        'measure = "probability"\nvalue = 0.4\nrange = [0.3, 0.5]',
        'measure = "zero_otherwise"\nstatements = ["S1-02"]',
    )
    place = "findings.toml:cramp.background_effects[0]"
    assert (
        "error",
        "statements.toml:S1-02.realised_by",
        f"{place} rests on it, but is not listed.",
    ) in lint(read_knowledge(write(small)))


def test_nothing_is_called_near_where_nothing_is(small: dict[str, str], write: Write) -> None:
    small["statements.toml"] = STATEMENTS.replace("findings.toml:cramp.backgruond", "zzz").replace(
        'kind = "red_flag"', 'kind = "red_flag"\nreadings = [{ number = "zzz", value = 0.5 }]'
    )
    remarks = lint(read_knowledge(write(small)))
    assert ("error", "statements.toml:S1-01.realised_by[0]", "there is no 'zzz'.") in remarks
    assert ("error", "statements.toml:S2-02.readings[0]", "there is no number 'zzz'.") in remarks
