"""MODEL_CARD.md says what the packaged knowledge and the engine say today.

Every failure names the place in the card, what stands there and what has to stand there.
"""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesdx
from bayesdx.diagnosis import fit_remarks
from bayesdx.diagnosis.triage import build_triage
from bayesdx.knowledge import Knowledge, summary
from bayesdx.knowledge.addresses import every_number
from bayesdx.knowledge.overrides import applied_moves, numbers_digest, stale
from bayesdx.knowledge.red_flag_schema import LEVELS
from bayesdx.knowledge.triage_schema import threshold
from bayesdx.tables import finding_columns, read_cases

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "MODEL_CARD.md").read_text(encoding="utf-8")
#: The card on one line: where a sentence is broken does not matter.
FLAT = " ".join(TEXT.split())

KINDS = ("prior", "effect", "link", "background", "background_effect", "prevalence")
BASES = ("SEEN", "SEEN-ADAPTED", "RECALL", "SEED", "JUDGEMENT")
FILES = ("documents", "published")
PRESSING = ("emergency", "urgent")
NEW_REPORT = "run benchmarks/quality/report.py and bring Summary and Evaluation up to date"

#: The items of TRIPOD+AI and the sections of a model card.
TRIPOD = (
    *("1", "2", "3a", "3b", "3c", "4", "5a", "5b", "6a", "6b", "6c", "7", "8a", "8b", "8c"),
    *("9a", "9b", "9c", "10", "11", "12a", "12b", "12c", "12d", "12e", "12f", "12g", "13", "14"),
    *("15", "16", "17", "18a", "18b", "18c", "18d", "18e", "18f", "19", "20a", "20b", "20c"),
    *("21", "22", "23a", "23b", "24", "25", "26", "27a", "27b", "27c"),
)
SECTIONS = (
    *("model details", "intended use", "factors", "metrics", "evaluation data", "training data"),
    *("quantitative analyses", "ethical considerations", "caveats and recommendations"),
)
REASSURING = re.compile(r"\b(safe|safely|harmless|unlikely|nothing to worry|will pass)\b", re.I)


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load()


@pytest.fixture(scope="module")
def cases(engine: bayesdx.Engine) -> dict[str, pd.DataFrame]:
    return {name: answered(engine, name) for name in FILES}


def rows(head: str) -> list[list[str]]:
    """Rows of the table whose head begins with this cell, without emphasis and code marks."""
    lines = TEXT.splitlines()
    found = [i for i, line in enumerate(lines) if line.startswith(f"| {head} |")]
    assert found, f"MODEL_CARD.md: expected a table | {head} | …"
    result = []
    for start in found:
        for line in lines[start + 2 :]:
            if not line.startswith("|"):
                break
            result.append([cell.strip(" *`") for cell in line.strip()[1:-1].split("|")])
    return result


def must_say(place: str, stands: object, expected: object, also: str = "") -> None:
    """Fail with what to edit."""
    note = f"; {also}" if also else ""
    assert stands == expected, (
        f"MODEL_CARD.md, {place}: expected {expected}, the card says {stands}{note}."
    )


def must_contain(phrase: str, also: str = "") -> None:
    note = f"; {also}" if also else ""
    assert phrase in FLAT, f"MODEL_CARD.md: expected the words {phrase!r}{note}."


def answered(engine: bayesdx.Engine, name: str) -> pd.DataFrame:
    """Each case of one file: group, rank of the expected cause, labelled and given urgency."""
    table = read_cases(str(ROOT / "scenarios" / f"{name}.csv"))
    scores = engine.score(finding_columns(table))
    causes = engine.causes.index[engine.causes["kind"] == "cause"]
    result = pd.DataFrame(
        {
            "sex": table["sex"].astype("string").fillna(""),
            "age": pd.to_numeric(table["age"]),
            "label": [LEVELS.index(str(one).strip()) for one in table["urgency"]],
            "given": [LEVELS.index(str(one)) for one in scores["urgency"]],
        }
    )
    also = table["acceptable"].astype("string").fillna("")
    for column, acceptable in (("rank", [""] * len(table)), ("either", also)):
        result[column] = [
            min(
                rank(scores.iloc[i], causes, one)
                for one in (expected, *filter(None, more.split(";")))
            )
            for i, (expected, more) in enumerate(
                zip(table["expected_cause"], acceptable, strict=True)
            )
        ]
    return result


def rank(scores: pd.Series, causes: pd.Index, name: str) -> float:
    """Place of a cause among the others, or of `unexplained` among all; ties share theirs."""
    name = name.strip()
    others = scores[causes.drop(name, errors="ignore")].to_numpy(dtype=np.float64)
    own = float(scores[name])
    return 1.0 + float((others > own).sum()) + 0.5 * float((others == own).sum())


def of(hits: pd.Series) -> str:
    return f"{int(hits.sum())} of {len(hits)}"


class TestNumbers:
    @pytest.mark.parametrize("basis", [*BASES, "all", "source was read", "source was not read"])
    def test_numbers_by_basis_and_kind(self, basis: str, real_knowledge: Knowledge) -> None:
        counted: Counter[str] = Counter(
            number.kind
            for number in every_number(real_knowledge)
            if basis
            in (
                number.stated.basis,
                "all",
                "source was read"
                if real_knowledge.sources[number.stated.source].seen
                else "source was not read",
            )
        )
        expected = [str(counted[kind]) for kind in KINDS] + [str(counted.total())]
        stands = {row[0]: row[1:] for row in rows("basis")}
        must_say(f"What the numbers rest on, row {basis}", stands.get(basis), expected)

    def test_every_basis_and_kind_is_in_the_table(self, real_knowledge: Knowledge) -> None:
        numbers = every_number(real_knowledge)
        assert {number.kind for number in numbers} == set(KINDS)
        assert {number.stated.basis for number in numbers} == set(BASES)
        must_contain(f"| basis | {' | '.join(KINDS)} | all |")

    def test_shares_of_the_whole(self, real_knowledge: Knowledge) -> None:
        numbers = every_number(real_knowledge)
        bases = Counter(number.stated.basis for number in numbers)
        sources = Counter(number.stated.source for number in numbers)
        read = sum(source.seen for source in real_knowledge.sources.values())
        judged, seen = (bases[one] / len(numbers) for one in ("JUDGEMENT", "SEEN"))
        must_contain(f"**{judged:.0%} of".replace("%", " %"))
        must_contain(f"judgements, {seen:.0%} were read as they stand**".replace("%", " %"))
        must_contain(f"Of {len(real_knowledge.sources)} listed sources {read} were read")
        must_contain(f"{sources['clin']} numbers name no study at all")
        must_contain(f"clinicians' review of the {bases['JUDGEMENT']} judgements")

    def test_figures_were_measured_with_these_numbers(self, real_knowledge: Knowledge) -> None:
        found = re.search(r"\| Numbers digest \| `(\w+)`", TEXT)
        stands = found and found[1]
        must_say("Numbers digest", stands, numbers_digest(real_knowledge)[:12], NEW_REPORT)


def sizes(knowledge: Knowledge) -> dict[str, int]:
    kinds = Counter(cause.kind for cause in knowledge.causes.values())
    groups = Counter(group.kind for group in knowledge.groups.values())
    hard = Counter(one.hard for one in knowledge.constraints)
    words = re.match(r"(\d+) \+ (\d+) statements: (\d+) realised, (\d+) excl", summary(knowledge))
    assert words is not None
    assert knowledge.calibration is not None
    return {
        "modelled causes": kinds["cause"],
        "causes named in the documents but impossible here": kinds["excluded"],
        "row for what is not modelled": kinds["leak"],
        "dangerous causes": len(build_triage(knowledge.triage, knowledge.causes).causes),
        "findings": len(knowledge.findings),
        "risks and context": len(knowledge.risks),
        "measured quantities": len(knowledge.measures),
        "red-flag rules": len(knowledge.red_flags),
        "drivers": groups["driver"],
        "classes of causes": groups["class"],
        "numbers": len(every_number(knowledge)),
        "sources listed": len(knowledge.sources),
        "statements of the four documents": int(words[1]),
        "statements of contradictions (X)": int(words[2]),
        "statements realised": int(words[3]),
        "statements excluded with a reason": int(words[4]),
        "constraints that must hold": hard[True],
        "constraints that are wanted": hard[False],
        "wanted constraints given up": len(knowledge.calibration.given_up),
        "numbers moved by calibration": len(applied_moves(knowledge)),
    }


class TestParts:
    def test_counts_of_parts(self, real_knowledge: Knowledge) -> None:
        stands = {
            part: count
            for row in rows("part")
            for part, count in zip(row[::2], row[1::2], strict=True)
        }
        expected = sizes(real_knowledge)
        assert set(stands) == set(expected)
        for part, count in expected.items():
            must_say(f"row {part}", stands[part], str(count))

    def test_calibration_belongs_to_these_numbers(self, real_knowledge: Knowledge) -> None:
        assert stale(real_knowledge) == ""
        must_contain(f"{len(real_knowledge.constraints)} constraints on answers")

    def test_what_the_constraint_on_piriformis_moves(self, real_knowledge: Knowledge) -> None:
        moves = applied_moves(real_knowledge)
        mine = [one for one in moves if one.constraint == "piriformis_most_frequent"]
        prior = next(one for one in mine if one.number == "causes/piriformis_syndrome.toml:prior")
        assert len(mine) == 10, "MODEL_CARD.md, Calibration: 'Ten of the moves' is no longer true."
        must_contain(f"prior from {100 * prior.elicited:.1f} % to {100 * prior.calibrated:.1f} %")

    def test_rules_by_level(self, real_knowledge: Knowledge) -> None:
        levels = Counter(rule.level for rule in real_knowledge.red_flags)
        words = ", ".join(f"{levels[one]} {one.replace('_', '-')}" for one in LEVELS)
        must_contain(f"on what was found: {words}.")

    def test_ratios_of_losses(self, real_knowledge: Knowledge) -> None:
        triage = real_knowledge.triage
        assert triage is not None
        ratios = {**triage.loss_ratio, **triage.causes}
        expected = {
            name: [f"{ratio:g}", f"{100 * threshold(ratio):.1f} %"]
            for name, ratio in ratios.items()
        }
        must_say("Output", {row[0]: row[1:3] for row in rows("level or cause")}, expected)

    def test_who_answers(self, real_knowledge: Knowledge) -> None:
        by = Counter(finding.observed_by for finding in real_knowledge.findings.values())
        must_contain(
            f"{by.total()} findings ({by['patient']} answered by the person, {by['examiner']} "
            f"signs of an examiner, {by['laboratory']} laboratory values, {by['imaging']} image)"
        )

    def test_what_the_network_cannot_give_back(self, engine: bayesdx.Engine) -> None:
        messages = [message for _, _, message in fit_remarks(engine.assembly)]
        over = sum("over-explained" in message for message in messages)
        missed = sum("out of reach" in message for message in messages)
        must_contain(f"{over} over-explained findings and {missed} links out of reach")


class TestPerformance:
    @pytest.mark.parametrize("name", FILES)
    def test_headline_figures(self, name: str, cases: dict[str, pd.DataFrame]) -> None:
        table = cases[name]
        pressing, called = (table[one] < len(PRESSING) for one in ("label", "given"))
        assert LEVELS[: len(PRESSING)] == PRESSING
        expected = {
            "expected cause first": of(table["rank"] <= 1),
            "expected cause among the first 3": of(table["rank"] <= 3),
            "expected cause among the first 5": of(table["rank"] <= 5),
            "expected or acceptable first": of(table["either"] <= 1),
            "expected or acceptable among the first 5": of(table["either"] <= 5),
            "urgency as labelled": of(table["given"] == table["label"]),
            "urgency too low": of(table["given"] > table["label"]),
            "urgency too high": of(table["given"] < table["label"]),
            "urgent or emergency, and missed": of(~called[pressing]),
            "called urgent or emergency without that label": of(called[~pressing]),
        }
        stands = {row[0]: row[1 + FILES.index(name)] for row in rows("measure")}
        for measure, share in expected.items():
            cell = stands.get(measure, "").partition(" (")[0].rstrip("*")
            must_say(f"Performance, {measure}, {name}", cell, share, NEW_REPORT)

    @pytest.mark.parametrize("name", FILES)
    def test_figures_by_sex_and_age(self, name: str, cases: dict[str, pd.DataFrame]) -> None:
        table = cases[name]
        groups = {
            "female": table["sex"] == "female",
            "male": table["sex"] == "male",
            "under 50": table["age"] < 50,
            "50 to 64": table["age"].between(50, 65, inclusive="left"),
            "65 or over": table["age"] >= 65,
        }
        stands = {row[0]: row[1:] for row in rows("group")}
        assert set(stands) == set(groups)
        first = 2 * FILES.index(name)
        for group, members in groups.items():
            part = table[members]
            expected = [of(part["rank"] <= 1), of(part["given"] > part["label"])]
            place = f"By sex and age, {group}, {name}"
            must_say(place, stands[group][first : first + 2], expected, NEW_REPORT)

    def test_summary_repeats_the_headline_figures(self, cases: dict[str, pd.DataFrame]) -> None:
        for name, ranks in (("documents", (1,)), ("published", (1, 5))):
            table = cases[name]
            low = int((table["given"] > table["label"]).sum())
            hits = [int((table["rank"] <= k).sum()) for k in ranks]
            must_contain(f"On {len(table)} ", NEW_REPORT)
            must_contain(f"first in {hits[0]}, ", NEW_REPORT)
            must_contain(f"urgency was too low in {low}" if len(hits) > 1 else f"too low in {low}")
            if len(hits) > 1:
                must_contain(f"among the first five in {hits[1]};", NEW_REPORT)


class TestForm:
    def test_mapping_names_every_item(self) -> None:
        items = [row[:2] for row in rows("item")]
        tripod = [
            one
            for item, _ in items
            if item.startswith("TRIPOD+AI ")
            for one in item.removeprefix("TRIPOD+AI ").split(", ")
        ]
        assert sorted(tripod) == sorted(TRIPOD)
        assert [topic for item, topic in items if item == "Model card"] == list(SECTIONS)

    def test_mapping_leads_to_headings(self) -> None:
        headings = set(re.findall(r"^##+ (.+)$", TEXT, re.MULTILINE))
        named = {name for row in rows("item") for name in row[2].split("; ")}
        missing = named - headings
        assert not missing, f"MODEL_CARD.md: the table at the end names no heading: {missing}"

    def test_links_lead_to_headings(self) -> None:
        headings = re.findall(r"^##+ (.+)$", TEXT, re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}
        assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= anchors

    def test_says_what_it_is_and_never_reassures(self) -> None:
        first_lines = TEXT[:600]
        assert "Educational decision support, not a medical device" in first_lines
        assert "never rules a cause out" in first_lines
        assert REASSURING.findall(TEXT) == []
