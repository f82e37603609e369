"""Where a number comes from, as it is shown."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bayesdx.errors import InvalidKnowledge
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.provenance import describe_cause, describe_finding, describe_risk
from bayesdx.knowledge.reading import read_knowledge
from bayesdx.knowledge.statement_provenance import describe_statement


@pytest.fixture
def knowledge(small: dict[str, str], write: Callable[..., Path]) -> Knowledge:
    return read_knowledge(write(small))


def test_cause_shows_every_number_with_its_support(knowledge: Knowledge) -> None:
    assert describe_cause(knowledge, "statin_myopathy").splitlines() == [
        "statin_myopathy: Statin myopathy",
        "  Muscle symptoms that a statin causes.",
        "  urgency: soon",
        "  groups: drug, any_muscle",
        "",
        "prior 0.01 (0.005 to 0.02)",
        "    share of: the reference population",
        "    basis: seen, adapted: a figure that was read, re-based to this population",
        "    source: A study of spasms [study]",
        "    main cause in a share of 0.005",
        "",
        "requires statin_use present; otherwise its probability is exactly 0",
        "    source: A study of spasms [study]",
        "    statements: S2-01",
        "",
        "with age 60_or_over: relative risk 2 (1.2 to 3)",
        "    basis: recalled: known from the literature, not re-read",
        "    source: Clinical consensus [clin], not read for this knowledge",
        "",
        "findings, by probability over background: 2",
        "",
        "  ck_high  x6: 0.3 (0.2 to 0.4), background 0.05",
        "    read as: strength of the noisy-OR link itself, without the leak",
        "    basis: seen: the figure itself was read in the source",
        "    source: A study of spasms [study]",
        "",
        "  cramp  x2.4: 0.6 (0.4 to 0.8), background 0.25",
        "    read as: P(finding | only this cause), the leak included",
        "    basis: seen: the figure itself was read in the source",
        "    source: A study of spasms [study]",
        "    statements: S2-03",
        "    note: as reported by patients",
        "",
        "The reference population (R): adults",
    ]


def test_excluded_cause_shows_why(knowledge: Knowledge) -> None:
    text = describe_cause(knowledge, "bowel")
    assert "kind: excluded" in text
    assert "excluded because: It cannot make a skeletal muscle cramp." in text
    assert "\nprior 0\n" in text


def test_leak_has_no_prior_of_its_own(knowledge: Knowledge) -> None:
    text = describe_cause(knowledge, "leak_other")
    assert "no prior of its own" in text
    assert "main cause in a share of 0.905" in text


def test_finding_shows_background_and_all_causes(knowledge: Knowledge) -> None:
    lines = describe_finding(knowledge, "cramp").splitlines()
    assert lines[:5] == [
        "cramp: Cramp",
        "  Does it cramp?",
        "  kind: binary",
        "  observed by: patient",
        "  also called: charley horse, muscle cramp",
    ]
    assert "background 0.25 (0.15 to 0.4)" in lines
    assert "    share of: the reference population, cause absent" in lines
    assert "    statements: S1-01" in lines
    assert "background of cramp with age 60_or_over: 0.4 (0.3 to 0.5)" in lines
    links = [line for line in lines if "background 0.25" in line and line.startswith("  ")]
    assert links == [
        "  statin_myopathy  x2.4: 0.6 (0.4 to 0.8), background 0.25",
        "  strain  x2: 0.5 (0.3 to 0.7), background 0.25",
    ]


@pytest.mark.parametrize(
    ("finding", "line"),
    [
        ("radiation", "  states: none, thigh, foot"),
        ("radiation", "  measured as: reach cut at 20, 80 cm"),
        ("radiation_foot", "  threshold: radiation at least foot"),
        ("radiation_foot", "  implies: radiation_any"),
        ("ck_high", "  measured as: ck > 4 times the upper limit"),
        ("severe_pain", "causes that link to it: 0"),
    ],
)
def test_finding_shows_how_it_is_known(knowledge: Knowledge, finding: str, line: str) -> None:
    assert line in describe_finding(knowledge, finding).splitlines()


def test_risk_shows_prevalence_and_everything_it_acts_on(knowledge: Knowledge) -> None:
    text = describe_risk(knowledge, "age")
    assert "prevalence: under_60 0.7, 60_or_over 0.3\n" in text
    assert "relative risk of statin_myopathy with age 60_or_over: 2 (1.2 to 3)\n" in text
    assert "case share of strain with age under_60: 0.8 (0.7 to 0.9)\n" in text
    assert "background of cramp with age 60_or_over: 0.4 (0.3 to 0.5)\n" in text
    text = describe_risk(knowledge, "statin_use")
    assert "prevalence: absent 0.8, present 0.2 (0.15 to 0.25)\n" in text
    assert "statin_myopathy requires statin_use present" in text


@pytest.mark.parametrize(
    ("statement", "lines"),
    [
        (
            "S0-05",
            [
                "numbers, rules and texts that rest on it: 1",
                "prior of strain: 0.13 (0.06 to 0.2)",
                "at causes/strain.toml:prior",
            ],
        ),
        ("S2-01", ["statin_myopathy requires statin_use present"]),
        ("S2-02", ["red flag dark (emergency): Severe pain in somebody on a statin"]),
        ("S1-05", ["case share of strain with age under_60: 0.8 (0.7 to 0.9)"]),
        ("S2-03", ["P(cramp | statin_myopathy): 0.6 (0.4 to 0.8)"]),
    ],
)
def test_statement_lists_what_rests_on_it(
    knowledge: Knowledge, statement: str, lines: list[str]
) -> None:
    assert set(lines) <= set(describe_statement(knowledge, statement).splitlines())


@pytest.mark.parametrize(
    ("describe", "name", "message"),
    [
        (describe_cause, "strane", "cause: expected a cause, got 'strane'. Nearest: strain."),
        (
            describe_finding,
            "ck_hihg",
            "finding: expected a finding, got 'ck_hihg'. Nearest: ck_high.",
        ),
        (describe_risk, "statin", "risk: expected a risk, got 'statin'. Nearest: statin_use."),
        (describe_risk, "zzz", "risk: expected a risk, got 'zzz'."),
        (
            describe_statement,
            "S9-05",
            "statement: expected the id of a statement, got 'S9-05'. Nearest: S1-05, S0-05, S2-03.",
        ),
    ],
)
def test_unknown_names_are_faults(
    knowledge: Knowledge, describe: Callable[[Knowledge, str], str], name: str, message: str
) -> None:
    with pytest.raises(InvalidKnowledge, match="expected") as caught:
        describe(knowledge, name)
    assert str(caught.value) == message


def test_everything_in_the_packaged_priors_can_be_described() -> None:
    real = read_knowledge()
    texts = [describe_cause(real, name) for name in real.causes]
    texts += [describe_finding(real, name) for name in real.findings]
    texts += [describe_risk(real, name) for name in real.risks]
    assert all(text and "None" not in text for text in texts)
