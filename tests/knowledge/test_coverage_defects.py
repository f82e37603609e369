"""Slips in what numbers and statements say of each other are found, each with file and key."""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bayesdx.cli import main
from bayesdx.errors import InvalidKnowledge
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.linting import lint
from bayesdx.knowledge.reading import read_knowledge


@dataclass(frozen=True)
class Edit:
    """In the block of `file` that begins with `start`: `old`, a regular expression, becomes `new`.

    A block ends at the first empty line. Without `old` the whole block goes.
    """

    file: str
    start: str
    old: str = r"(?s).+"
    new: str = ""


STRAIN, LINK = "causes/muscle_strain_overuse.toml", "causes/muscle_strain_overuse.toml:links"
ROOT = r"realised_by = \["


def statement(name: str, old: str = r"(?s).+", new: str = "") -> Edit:
    return Edit("statements.toml", f"[{name}]\n", old, new)


def constraint(old: str, new: str, name: str = "piriformis_given_back_pain") -> Edit:
    return Edit("constraints.toml", f'[[constraint]]\nid = "{name}"\n', old, new)


def text(name: str, old: str, new: str, file: str = "management.toml") -> Edit:
    return Edit(file, f'[[text]]\nid = "{name}"\n', old, new)


# What is said: file and key first; "…" stands for anything.
UNREADABLE: dict[str, tuple[tuple[Edit, ...], tuple[str, ...]]] = {
    "statement of an unknown kind": (
        (statement("S0-10", "kind = .*", 'kind = "findings"'),),
        ("statements.toml:S0-10.kind: expected one of prior, …, got 'findings'. Nearest: finding",),
    ),
    "statement with a misspelt section": (
        (statement("S0-10", "section =", "sektion ="),),
        (
            "statements.toml:S0-10.section: expected a text, got nothing.",
            "statements.toml:S0-10.sektion: expected a known key, got 'sektion'. Nearest: section.",
        ),
    ),
    "statement with a malformed id": (
        (statement("S1-87", r"\[S1-87\]", '["S1 87"]'),),
        ("statements.toml:S1 87: expected an id of letters, digits, _ and -, got 'S1 87'.",),
    ),
    "reading below 0": (
        (statement("S0-10", "value = .*", "value = -0.1"),),
        ("statements.toml:S0-10.readings[0].value: expected a number of at least 0…, got -0.1.",),
    ),
    "constraint on an unknown cause": (
        (constraint("event = .*", 'event = "piriformis_syndrom"'),),
        (
            "constraints.toml:constraint[1].event: expected a cause, group, finding or risk, "
            "got 'piriformis_syndrom'. Nearest: piriformis_syndrome",
        ),
    ),
    "constraint on an unknown state": (
        (constraint('bilateral = "absent"', 'bilateral = "abcent"'),),
        (
            "constraints.toml:constraint[1].given.bilateral: expected a state of bilateral: "
            "absent, present, got 'abcent'. Nearest: absent",
        ),
    ),
    "constraint that says two things": (
        (constraint("between", 'at_least_as_likely_as = ["drug"]\nbetween'),),
        ("constraints.toml:constraint[1]: expected one of between, …, got 2 of them.",),
    ),
    "constraint that says nothing": (
        (constraint("between = .*", ""),),
        ("constraints.toml:constraint[1]: expected one of between, …, got 0 of them.",),
    ),
    "constraint with its bounds reversed": (
        (constraint("between = .*", "between = [0.06, 0.05]"),),
        ("constraints.toml:constraint[1]: expected bounds …, got [0.06, 0.05].",),
    ),
    "constraint with the id of another": (
        (constraint("id = .*", 'id = "variant_prevalence"'),),
        (
            "constraints.toml:constraint[1].id: expected an id of its own, "
            "got 'variant_prevalence'.",
        ),
    ),
    "text about an unknown driver": (
        (text("load_explained", "drivers = .*", 'drivers = ["laod"]'),),
        ("management.toml:text[0].drivers[0]: expected a driver, got 'laod'. Nearest: load",),
    ),
    "text that is never shown": (
        (text("load_explained", "id = ", 'when = { all = ["fever", "!fever"] }\nid = '),),
        (
            "management.toml:text[0].when: expected what can be true, got fever in two states at "
            "once.",
        ),
    ),
    "text on an unknown state": (
        (text("load_explained", "id = ", 'when = { all = ["age:70"] }\nid = '),),
        ("management.toml:text[0].when age:70: expected a state of age: …, got '70'.",),
    ),
    "text with the id of another": (
        (text("commonest_cause", "id = .*", 'id = "load_explained"', "pitfalls.toml"),),
        ("pitfalls.toml:text[…].id: expected an id of its own, got 'load_explained'.",),
    ),
    "red flag on what excludes each other": (
        (
            Edit(
                "red_flags.toml",
                'id = "sudden_at_65"',
                r'all = \["onset_sudden", ',
                'all = ["onset_sudden", "onset_gradual", ',
            ),
        ),
        (
            "red_flags.toml:rule[…].when: expected what can be true, got onset_gradual and what it "
            "excludes, onset_sudden.",
        ),
    ),
    "triage of an unknown cause": (
        (Edit("red_flags.toml", "[triage.causes]", "dvt =", "dvtt ="),),
        (
            "red_flags.toml:triage.causes.dvtt: expected a dangerous cause, got 'dvtt'. "
            "Nearest: dvt",
        ),
    ),
}
"""Defects that keep the folder from being read."""

WRONG: dict[str, tuple[tuple[Edit, ...], tuple[str, ...]]] = {
    "statement removed that a number cites": (
        (statement("S0-10"),),
        (f"{LINK}.cramp_spasm: S0-10 is not in statements.toml. Nearest: ",),
    ),
    "realised by a link that is not there": (
        (statement("S0-10", "links.cramp_spasm", "links.crampspasm"),),
        (
            f"statements.toml:S0-10.realised_by: {LINK}.cramp_spasm rests on it, but is not listed",
            f"statements.toml:S0-10.realised_by[0]: there is no '{LINK}.crampspasm'. "
            f"Nearest: {LINK}.cramp_spasm",
        ),
    ),
    "realised by nothing": (
        (statement("S0-10", "realised_by = .*", "realised_by = []"),),
        (
            f"statements.toml:S0-10.realised_by: {LINK}.cramp_spasm rests on it, but is not listed",
            "statements.toml:S0-10: nothing realises it, and it is not excluded with a reason.",
        ),
    ),
    "realised and excluded": (
        (statement("S0-10", "realised_by", 'excluded = "too vague"\nrealised_by'),),
        (
            f"{LINK}.cramp_spasm: rests on S0-10, which statements.toml excludes.",
            "statements.toml:S0-10: it is realised and excluded at once.",
        ),
    ),
    "realised twice by one number": (
        (statement("S0-10", ROOT, f'realised_by = ["{LINK}.cramp_spasm", '),),
        (f"statements.toml:S0-10.realised_by[1]: {LINK}.cramp_spasm is listed twice.",),
    ),
    "number that cites without being listed": (
        (Edit(STRAIN, "[links.bruising]", r"statements = \[", 'statements = ["S1-87"'),),
        (f"statements.toml:S1-87.realised_by: {LINK}.bruising rests on it, but is not listed.",),
    ),
    "number that is listed without citing": (
        (statement("S1-87", ROOT, f'realised_by = ["{LINK}.bruising", '),),
        (
            f"statements.toml:S1-87.realised_by[0]: {LINK}.bruising does not rest on it: "
            "it does not name S1-87.",
        ),
    ),
    "link removed that realises a statement": (
        (Edit(STRAIN, "[links.cramp_spasm]"),),
        (
            f"statements.toml:S…readings[0]: there is no number '{LINK}.cramp_spasm'. Nearest: ",
            *(
                f"statements.toml:{name}.realised_by[…]: there is no '{LINK}.cramp_spasm'."
                for name in ("S0-10", "S1-13", "S3-16", "S3-18")
            ),
        ),
    ),
    "requirement that no longer cites": (
        (Edit("causes/nms.toml", "", 'requires_statements = .*"S2-19".*', ""),),
        tuple(
            f"statements.toml:{name}.realised_by[…]: causes/nms.toml:requires does not rest on it: "
            f"it does not name {name}."
            for name in ("S2-19", "X-14")
        ),
    ),
    "constraint removed that realises a statement": (
        (constraint(r"(?s).+", ""),),
        tuple(
            f"statements.toml:{name}.realised_by[…]: there is no "
            "'constraints.toml:piriformis_given_back_pain'."
            for name in ("S0-09", "X-02")
        ),
    ),
    "question that is not asked": (
        (statement("S0-13", "risks.toml:training_jump", "risks.toml:training_jumps"),),
        (
            "statements.toml:S0-13.realised_by[1]: there is no 'risks.toml:training_jumps'. "
            "Nearest: risks.toml:training_jump",
        ),
    ),
    "sentence at the prior and an effect": (
        (
            Edit(STRAIN, "[[effects]]", r"statements = \[", 'statements = ["S0-05", '),
            statement("S0-05", ROOT, f'realised_by = ["{STRAIN}:effects[0]", '),
        ),
        (f"{STRAIN}:effects[0]: S0-05 also supports {STRAIN}:prior: counted twice.",),
    ),
    "sentence at the prior and a link": (
        (
            Edit(STRAIN, "[links.bruising]", r"statements = \[", 'statements = ["S0-05"'),
            statement("S0-05", ROOT, f'realised_by = ["{LINK}.bruising", '),
        ),
        (f"{LINK}.bruising: S0-05 also supports {STRAIN}:prior: counted twice.",),
    ),
    "sentence at an effect and a link": (
        (
            Edit(STRAIN, "[links.bruising]", r"statements = \[", 'statements = ["S0-13"'),
            statement("S0-13", ROOT, f'realised_by = ["{LINK}.bruising", '),
        ),
        (f"{LINK}.bruising: S0-13 also supports {STRAIN}:effects[0]: counted twice.",),
    ),
    "statement of the wrong document": (
        (statement("S0-10", "document = .*", 'document = "S1"'),),
        ("statements.toml:S0-10.document: 'S1' does not fit the id S0-10.",),
    ),
    "reading on a number that is not there": (
        (statement("S0-10", "number = .*", f'number = "{LINK}.cramp_spams"'),),
        (
            f"statements.toml:S0-10.readings[0]: there is no number '{LINK}.cramp_spams'. "
            f"Nearest: {LINK}.cramp_spasm",
        ),
    ),
    "reading above 1 of a probability": (
        (statement("S0-10", "value = .*", "value = 1.5"),),
        ("statements.toml:S0-10.readings[0]: 1.5 is no probability between 0 and 1.",),
    ),
    "reading of 0 for a ratio": (
        (statement("S0-13", "value = .*", "value = 0.0"),),
        ("statements.toml:S0-13.readings[0]: 0 is no ratio above 0.",),
    ),
    "reading of a prevalence with several values": (
        (statement("S0-10", "number = .*", 'number = "risks.toml:age.prevalence"'),),
        (
            "statements.toml:S0-10.readings[0]: risks.toml:age.prevalence has several values, "
            "a reading has one.",
        ),
    ),
    "constraint that cites an unknown statement": (
        (constraint(r"statements = \[", 'statements = ["S0-99", '),),
        (
            "constraints.toml:piriformis_given_back_pain: S0-99 is not in statements.toml. "
            "Nearest: ",
        ),
    ),
    "text that cites an excluded statement": (
        (text("load_reduce", r"statements = \[", 'statements = ["S0-29", '),),
        ("management.toml:load_reduce: rests on S0-29, which statements.toml excludes.",),
    ),
    "seed number without statement": (
        (Edit(STRAIN, "[links.bruising]", "basis = .*", 'basis = "SEED"'),),
        (f"{LINK}.bruising: basis SEED, but no statement that it rests on.",),
    ),
    "rule that cites an unknown statement": (
        (
            Edit(
                "red_flags.toml",
                '[[rule]]\nid = "nms"',
                r"statements = \[",
                'statements = ["S2-99", ',
            ),
        ),
        ("red_flags.toml:nms: S2-99 is not in statements.toml. Nearest: ",),
    ),
    "triage that cites no statement": (
        (Edit("red_flags.toml", "[triage]", r"statements = \[", 'statements = ["S2-1"'),),
        ("red_flags.toml:triage: S2-1 is not in statements.toml. Nearest: ",),
    ),
}
"""Defects that are read, and are errors nevertheless."""

DEFECTS = UNREADABLE | WRONG


@pytest.fixture
def spoilt(real_knowledge: Knowledge, tmp_path: Path) -> Callable[[str], Path]:
    """Return a copy of the packaged priors with one defect."""

    def _spoilt(name: str) -> Path:
        folder = tmp_path / "priors"
        shutil.copytree(real_knowledge.folder, folder)
        for edit in DEFECTS[name][0]:
            path = folder / edit.file
            content = path.read_text(encoding="utf-8")
            start = content.index(edit.start)
            end = content.find("\n\n", start) + 1 or len(content)
            block, count = re.subn(
                edit.old, lambda _, new=edit.new: new, content[start:end], count=1
            )
            assert count == 1, f"{edit} no longer fits the priors"
            path.write_text(content[:start] + block + content[end:], encoding="utf-8")
        return folder

    return _spoilt


def pattern(said: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, said.split("…"))))


def assert_said(lines: list[str], expected: tuple[str, ...]) -> None:
    """Each line must be expected, and each expectation met: one cause, and no noise about it."""
    # A change of numbers or constraints makes the calibration stale, as test_moving tells.
    lines = [line for line in lines if not line.startswith("calibration.toml: ")]
    unmet = [one for one in expected if not any(pattern(one).match(line) for line in lines)]
    noise = [line for line in lines if not any(pattern(one).match(line) for one in expected)]
    assert (unmet, noise) == ([], [])


@pytest.mark.parametrize("name", UNREADABLE)
def test_defect_keeps_the_folder_from_being_read(spoilt: Callable[[str], Path], name: str) -> None:
    with pytest.raises(InvalidKnowledge, match="expected") as caught:
        read_knowledge(spoilt(name))
    assert_said([str(fault) for fault in caught.value.faults], UNREADABLE[name][1])


@pytest.mark.parametrize("name", WRONG)
def test_defect_is_an_error(spoilt: Callable[[str], Path], name: str) -> None:
    remarks = lint(read_knowledge(spoilt(name)))
    said = [f"{place}: {message}" for severity, place, message in remarks if severity == "error"]
    assert_said(said, WRONG[name][1])


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("constraint on an unknown cause", 2),
        ("statement removed that a number cites", 1),
        ("seed number without statement", 1),
    ],
)
def test_check_names_the_defect(
    spoilt: Callable[[str], Path],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    code: int,
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    assert main(["check", str(spoilt(name))]) == code
    out, err = capfd.readouterr()
    errors = [line for line in out.splitlines() if line.startswith("error: ")]
    said = [line.removeprefix("error: ") for line in errors]
    said += [line.removeprefix("bayesdx: ") for line in err.splitlines()]
    assert_said(said, DEFECTS[name][1])
