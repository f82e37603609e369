"""What is allowed but looks wrong is pointed out, with the right weight."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bayesdx.knowledge.linting import lint
from bayesdx.knowledge.reading import read_knowledge

Write = Callable[..., Path]

STRAIN, STATIN = "causes/strain.toml", "causes/statin_myopathy.toml"

QUIET = {
    ("warning", "causes/bowel.toml:prior", "basis SEED, but no statement that it rests on."),
    (
        "warning",
        "findings.toml:radiation_any.background",
        "no range: its uncertainty follows from the basis alone.",
    ),
    (
        "info",
        "causes/strain.toml:links.radiation_any",
        "0.1 is below the background, 0.2: an inhibitor link.",
    ),
    (
        "info",
        "causes/strain.toml:links.radiation_foot",
        "0.02 is below the background, 0.05: an inhibitor link.",
    ),
}
"""What the small folder gives as it is."""

CASES = {
    "value at the edge": (
        STRAIN,
        "range = [0.06, 0.2]",
        "range = [0.13, 0.2]",
        ("warning", "causes/strain.toml:prior", "0.13 is at the edge of its range, 0.13-0.2."),
    ),
    "range too narrow": (
        STRAIN,
        "range = [0.06, 0.2]",
        "range = [0.129, 0.131]",
        (
            "warning",
            "causes/strain.toml:prior",
            "the range 0.129-0.131 is narrow for basis JUDGEMENT.",
        ),
    ),
    "no range": (
        STRAIN,
        "range = [0.06, 0.2]\n",
        "",
        (
            "warning",
            "causes/strain.toml:prior",
            "no range: its uncertainty follows from the basis alone.",
        ),
    ),
    "seed without statement": (
        STRAIN,
        'statements = ["S1-02"]\n',
        "",
        (
            "warning",
            "causes/strain.toml:links.cramp",
            "basis SEED, but no statement that it rests on.",
        ),
    ),
    "ledger id of a number": (
        STRAIN,
        '"S1-02"',
        '"S7 02"',
        (
            "error",
            "causes/strain.toml:links.cramp",
            "'S7 02' is no id of a statement: letters, digits, _ and -.",
        ),
    ),
    "ledger id of a requirement": (
        STATIN,
        '"S2-01"',
        '"S2/1"',
        (
            "error",
            "causes/statin_myopathy.toml:requires",
            "'S2/1' is no id of a statement: letters, digits, _ and -.",
        ),
    ),
    "ledger id of a red flag": (
        "red_flags.toml",
        '"S2-02"',
        '"-02"',
        (
            "error",
            "red_flags.toml:dark",
            "'-02' is no id of a statement: letters, digits, _ and -.",
        ),
    ),
    "statement on two paths": (
        STRAIN,
        '"S1-02"',
        '"S1-05"',
        (
            "error",
            "causes/strain.toml:links.cramp",
            "S1-05 also supports causes/strain.toml:effects[0]: counted twice.",
        ),
    ),
    "background that no cause links to": (
        STATIN,
        "[links.ck_high]",
        "[links.radiation_any]",
        ("warning", "findings.toml:ck_high", "has a background, but no cause links to it."),
    ),
    "implied finding that is rarer": (
        "findings.toml",
        'implies = ["radiation_any"]',
        'implies = ["radiation_any"]\nany_of = ["cramp"]',
        (
            "warning",
            "findings.toml:radiation_foot",
            "is present whenever cramp is, but has the lower background.",
        ),
    ),
    "shares that do not sum to 1": (
        "causes/leak_other.toml",
        "0.905",
        "0.5",
        ("warning", "causes", "the primary shares sum to 0.595, not to 1."),
    ),
    "alias of two causes": (
        STATIN,
        'urgency = "soon"',
        'urgency = "soon"\naliases_lay = ["Pulled Muscle"]',
        ("warning", "causes/strain.toml:", "'pulled muscle' also names statin_myopathy."),
    ),
    "source that supports nothing": (
        "sources.toml",
        "[study]",
        '[other]\ntitle = "Other"\nseen = true\n[study]',
        ("info", "sources.toml:other", "supports no number."),
    ),
    "seen in an unseen source": (
        STATIN,
        'basis = "RECALL"',
        'basis = "SEEN"',
        (
            "warning",
            "causes/statin_myopathy.toml:effects[0]",
            "basis SEEN, but its source clin was not seen.",
        ),
    ),
}


def test_small_folder_gives_only_what_it_should(small: dict[str, str], write: Write) -> None:
    assert set(lint(read_knowledge(write(small)))) == QUIET


@pytest.mark.parametrize("name", CASES)
def test_each_oddity_is_pointed_out(small: dict[str, str], write: Write, name: str) -> None:
    file, old, new, remark = CASES[name]
    assert old in small[file]
    small[file] = small[file].replace(old, new, 1)
    assert remark in lint(read_knowledge(write(small)))


def test_higher_threshold_without_the_lower_is_pointed_out(
    small: dict[str, str], write: Write
) -> None:
    before, after = small[STRAIN].split("[links.radiation_any]")
    small[STRAIN] = before + after.split('parameterisation = "in_population"\n', 1)[1].replace(
        "probability = 0.02\nrange = [0.01, 0.05]", "probability = 0.3\nrange = [0.2, 0.4]"
    )
    assert (
        "warning",
        "causes/strain.toml:links.radiation_foot",
        "0.3 exceeds the background of radiation_any, 0.2, to which strain has no link.",
    ) in lint(read_knowledge(write(small)))


def test_one_statement_may_support_several_findings(small: dict[str, str], write: Write) -> None:
    small[STATIN] = small[STATIN].replace(
        'source = "study"\nparameterisation = "net"',
        'source = "study"\nstatements = ["S2-03"]\nparameterisation = "net"',
    )
    assert set(lint(read_knowledge(write(small)))) == QUIET


def test_errors_come_first(small: dict[str, str], write: Write) -> None:
    small["red_flags.toml"] = small["red_flags.toml"].replace('"S2-02"', '"-02"')
    severities = [severity for severity, _, _ in lint(read_knowledge(write(small)))]
    assert severities == sorted(severities, key=["error", "warning", "info"].index)
    assert severities[0] == "error"


def test_packaged_priors_have_no_lint_errors() -> None:
    assert [one for one in lint(read_knowledge()) if one[0] == "error"] == []
