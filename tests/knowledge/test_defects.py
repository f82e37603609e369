"""Every kind of slip in a priors folder is found, with its file and key, and all at once."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from bayesdx.errors import InvalidKnowledge
from bayesdx.knowledge.reading import read_knowledge

Write = Callable[[Mapping[str, str]], Path]


@dataclass(frozen=True)
class Defect:
    """A change to one file of the small folder and the message that it must give."""

    file: str
    old: str
    new: str
    message: str


STRAIN, STATIN = "causes/strain.toml", "causes/statin_myopathy.toml"
CASES = Path(__file__).parent / "defects"

DEFECTS = {
    name: Defect(**case)
    for file in sorted(CASES.glob("*.toml"))
    for name, case in tomllib.loads(file.read_text(encoding="utf-8")).items()
}


def spoil(files: dict[str, str], defect: Defect) -> None:
    text = files[defect.file]
    if defect.old == "*":
        files[defect.file] = defect.new
        return
    assert defect.old in text, "the defect no longer fits the small folder"
    files[defect.file] = text.replace(defect.old, defect.new, 1)


def message_of(folder: Path) -> str:
    with pytest.raises(InvalidKnowledge, match="expected") as caught:
        read_knowledge(folder)
    return str(caught.value)


def test_small_folder_itself_is_valid(small: dict[str, str], write: Write) -> None:
    assert set(read_knowledge(write(small)).causes) == {
        "bowel",
        "leak_other",
        "statin_myopathy",
        "strain",
    }


@pytest.mark.parametrize("name", DEFECTS)
def test_each_defect_is_the_only_fault(small: dict[str, str], write: Write, name: str) -> None:
    spoil(small, DEFECTS[name])
    assert message_of(write(small)) == DEFECTS[name].message


TOGETHER = (
    "unknown key",
    "missing parameterisation",
    "unknown basis",
    "a range beside its value",
    "an effect of an unknown risk",
    "a link to an unknown finding",
    "an unknown source",
    "prevalences that do not sum to 1",
    "an alias of two findings",
    "an unknown member of a group",
    "a measure of an unknown finding",
    "a red flag on an unknown finding",
    "a leak floor of 1",
    "an excluded cause without reason",
    "a mean that its parameters do not have",
)


def test_defects_in_all_files_are_reported_at_once(small: dict[str, str], write: Write) -> None:
    defects = [DEFECTS[name] for name in TOGETHER]
    for defect in defects:
        spoil(small, defect)
    lines = message_of(write(small)).splitlines()
    assert lines[0] == f"{len(defects)} faults:"
    assert sorted(line.removeprefix("  ") for line in lines[1:]) == sorted(
        defect.message for defect in defects
    )


def test_all_faults_of_one_entry_are_reported_at_once(small: dict[str, str], write: Write) -> None:
    small[STATIN] = (
        small[STATIN]
        .replace('label = "Statin myopathy"\n', "")
        .replace("probability = 0.6", 'probability = "often"')
        .replace("probability = 0.3", "probability = 3")
        .replace('risk = "age"', 'risk = "agee"')
        .replace('basis = "RECALL"', 'basis = "GUESS"')
        .replace('note = "as', 'nota = "as')
        .replace('source = "study"\nstatements = ["S2-03"]', 'source = "studdy"')
    )
    assert {
        line.split(": expected")[0].strip() for line in message_of(write(small)).splitlines()[1:]
    } == {
        "causes/statin_myopathy.toml:label",
        "causes/statin_myopathy.toml:links.cramp.probability",
        "causes/statin_myopathy.toml:links.cramp.nota",
        "causes/statin_myopathy.toml:links.cramp.source",
        "causes/statin_myopathy.toml:links.ck_high.probability",
        "causes/statin_myopathy.toml:effects[0].any_of[0].risk",
        "causes/statin_myopathy.toml:effects[0].basis",
    }


def test_file_that_cannot_be_parsed_hides_no_other_fault_and_adds_none(
    small: dict[str, str], write: Write
) -> None:
    small["findings.toml"] += "\n[cramp\n"
    small["risks.toml"] = small["risks.toml"].replace("value = 0.2\n", "value = 2.0\n")
    places = [line.split(": expected")[0].strip() for line in message_of(write(small)).splitlines()]
    assert places[1:] == [
        f"findings.toml:{small['findings.toml'].count(chr(10))}",
        "risks.toml:statin_use.prevalence.value",
    ]
