"""MODEL_CARD.md says what the packaged knowledge and the engine say today.

Its figures stand between marks and are written by ``make card``; here they are computed again. That
the program which writes them counts right is tested on counts made another way.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from scripts import BENCHMARKS, scripts

import bayesdx
from bayesdx.knowledge.knowledge import Knowledge

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "MODEL_CARD.md").read_text(encoding="utf-8")

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
def card() -> Iterator[ModuleType]:
    with scripts(
        BENCHMARKS / "quality", ("metrics", "noise", "simulated", "orders", "card")
    ) as modules:
        yield modules.card


@pytest.fixture(scope="module")
def figures(card: ModuleType) -> dict[str, str]:
    measured = card.json.loads(card.MEASURED.read_text(encoding="utf-8"))
    made: dict[str, str] = card.all_figures(bayesdx.load(), measured)
    return made


def rows(text: str) -> list[list[str]]:
    """Cells of the rows of a table, without the head."""
    lines = [line for line in text.strip().splitlines() if line.startswith("|")][2:]
    return [[cell.strip(" *`") for cell in line.strip()[1:-1].split("|")] for line in lines]


class TestFigures:
    def test_are_those_of_today(self, card: ModuleType, figures: dict[str, str]) -> None:
        stale = [
            name
            for name in card.named_figures(TEXT)
            if f"<!-- figures: {name} -->{figures[name]}<!-- end -->" not in TEXT
        ]
        assert not stale, f"MODEL_CARD.md: run make card; out of date: {stale}"

    def test_all_are_shown_and_marked_once(self, card: ModuleType, figures: dict[str, str]) -> None:
        assert sorted(card.named_figures(TEXT)) == sorted(figures)

    def test_marks_that_name_nothing_are_refused(self, card: ModuleType) -> None:
        with pytest.raises(KeyError, match="nosuch"):
            card.render("<!-- figures: nosuch --><!-- end -->", {})

    def test_figures_of_other_numbers_are_said_to_be_so(self, card: ModuleType) -> None:
        measured = card.json.loads(card.MEASURED.read_text(encoding="utf-8"))
        said = card.from_measured(measured, "another")["measured_with"]
        assert "the numbers have changed since: run `make quality`" in said


class TestCounts:
    def test_parts(self, figures: dict[str, str], real_knowledge: Knowledge) -> None:
        cells = [cell for row in rows(figures["parts"]) for cell in row]
        told = dict(zip(cells[::2], cells[1::2], strict=True))
        rules = (ROOT / "priors" / "red_flags.toml").read_text(encoding="utf-8")
        assert int(told["red-flag rules"]) == len(re.findall(r"^level = ", rules, re.MULTILINE))
        files = list((ROOT / "priors" / "causes").glob("*.toml"))
        kinds = ("modelled causes", "causes named in the documents but impossible here")
        assert len(files) == sum(int(told[kind]) for kind in kinds) + 1
        assert int(told["findings"]) == len(real_knowledge.findings)

    def test_basis_adds_up(self, figures: dict[str, str]) -> None:
        by_basis = {row[0]: list(map(int, row[1:])) for row in rows(figures["basis"])}
        for row in by_basis.values():
            assert sum(row[:-1]) == row[-1]
        read = [by_basis[f"source was {word}"] for word in ("read", "not read")]
        assert [a + b for a, b in zip(*read, strict=True)] == by_basis["all"]
        bases = ("SEEN", "SEEN-ADAPTED", "RECALL", "SEED", "JUDGEMENT")
        assert sum(by_basis[one][-1] for one in bases) == by_basis["all"][-1]

    def test_performance_is_that_of_the_files(self, figures: dict[str, str]) -> None:
        first = rows(figures["performance"])[0]
        for cell, name in zip(first[1:], ("documents", "published"), strict=True):
            with (ROOT / "scenarios" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
                cases = list(csv.DictReader(stream))
            engine = bayesdx.load()
            reserved = {"case_id", "expected_cause", "acceptable", "urgency", "source", "note"}
            hits = 0
            told = [{k: v for k, v in one.items() if v and k not in reserved} for one in cases]
            for case, posterior in zip(cases, engine.score(told).to_dict("records"), strict=True):
                places = {one: posterior[one] for one in engine.causes.index}
                own = posterior[case["expected_cause"]]
                places.pop(case["expected_cause"], None)
                hits += all(other < own for other in places.values())
            assert cell.startswith(f"{hits} of {len(cases)} (")


class TestForm:
    def test_mapping_names_every_item(self) -> None:
        items = [row[:2] for row in rows(TEXT[TEXT.index("| item |") :])]
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
        items = rows(TEXT[TEXT.index("| item |") :])
        missing = {name for row in items for name in row[2].split("; ")} - headings
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
