"""The page's own program against the engine, in Node: the same answers, whatever is answered."""

import ast
import json
import math
import re
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from page_cases import answers, cases, entries, told

import bayesdx
from bayesdx.knowledge.addresses import Address
from bayesdx.knowledge.red_flag_schema import LEVELS
from bayesdx.reports.browser.network_data import DIGITS
from bayesdx.reports.browser.writing import (
    in_columns,
    page_data,
    squeezed,
    standalone_page,
    unsqueezed,
)
from bayesdx.tables import finding_columns, read_cases

ROOT = Path(__file__).parents[2]
TOLERANCE = 1e-12


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    """The engine that answers thousands of cases soonest here; every backend answers alike."""
    return bayesdx.load(backend="compiled" if find_spec("numba") else "numpy")


@pytest.fixture(scope="module")
def page(engine: bayesdx.Engine) -> str:
    return standalone_page(engine)


def worst(one: dict[str, float], other: dict[str, float]) -> float:
    assert one.keys() == other.keys()
    return max((abs(one[name] - other[name]) for name in one), default=0.0)


def compare(
    engine: bayesdx.Engine, page: str, given: list[dict], folder: Path
) -> tuple[list[float], int]:
    """Compare all that is said.

    Returns milliseconds of processor time that the page took, and how many cases it refused as too
    complex which the engine answers: it gives up sooner. Their urgency is compared as well.
    """
    refused = 0
    found = answers(page, [entries(engine, case) for case in given], folder)
    for case, own in zip(given, found, strict=True):
        said = told(engine, case)
        if own["status"] == "too_complex" != said["status"]:
            assert own["urgency"] == said["urgency"]
            refused += 1
            continue
        assert own["status"] == said["status"], case
        if said["status"] == "contradiction":
            assert own["clashes"], case
            continue
        for numbers in ("posterior", "groups", "explains"):
            assert worst(own[numbers], said[numbers]) <= TOLERANCE, (numbers, case)
        if math.isfinite(said["logEvidence"]):
            assert own["logEvidence"] == pytest.approx(said["logEvidence"], abs=1e-9), case
        for words in ("urgency", "flags", "calls", "askFirst", "texts", "shortlist"):
            assert own[words] == said[words], (words, case)
        if said["status"] == "impossible":
            assert own["clashes"] == said["clashes"], case
    return [one["milliseconds"] for one in found], refused


def scenarios(engine: bayesdx.Engine) -> list[dict]:
    rows = []
    for name in ("documents", "published", "typical"):
        table = finding_columns(read_cases(str(ROOT / "scenarios" / f"{name}.csv")))
        rows += [
            {key: _typed(engine, key, cell) for key, cell in row.items() if cell}
            for row in table.to_dict("records")
        ]
    return rows


def _typed(engine: bayesdx.Engine, name: str, cell: str) -> str | float:
    return cell if cell in engine.core.states.get(name, ()) else float(cell)


def test_cases_of_every_kind(engine: bayesdx.Engine, page: str, tmp_path: Path) -> None:
    _, refused = compare(engine, page, list(cases(engine, 3000, seed=2))[5::40], tmp_path)
    assert refused <= 2


def timed(name: str, engine: bayesdx.Engine, page: str, given: list[dict], folder: Path) -> None:
    """Compare, and print the processor time of an answer; times are never a gate."""
    milliseconds, refused = compare(engine, page, given, folder)
    times = ", ".join(f"{one:.1f}" for one in np.percentile(milliseconds, (50, 95, 100)))
    print(f"{name}: median, 95 %, most: {times} ms; refused: {refused}")
    assert refused <= len(given) // 100


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_many_cases(part: int, engine: bayesdx.Engine, page: str, tmp_path: Path) -> None:
    """3,000 cases in ten parts, which workers share."""
    timed("300 cases", engine, page, list(cases(engine, 3000, seed=2))[part::10], tmp_path)


@pytest.mark.slow
def test_all_scenarios(engine: bayesdx.Engine, page: str, tmp_path: Path) -> None:
    timed("scenarios", engine, page, scenarios(engine), tmp_path)


def changed(page: str, old: str, new: str) -> str:
    """Put something else into the program of a page."""
    program = unsqueezed(page, "program")
    assert program.count(old) == 1
    return page.replace(
        squeezed(program, "program"), squeezed(program.replace(old, new), "program")
    )


def test_digits_that_differences_lose_are_missed(
    engine: bayesdx.Engine, page: str, tmp_path: Path
) -> None:
    """Where all of many present findings are differences, the page sees it and does without."""
    given = [one for one in cases(engine, 300, seed=2) if count_present(one) >= 14][:6]
    assert len(given) == 6
    greedy = changed(page, "MOST_LOST = 1000", "MOST_LOST = 1e30")
    assert compare(engine, greedy, given, tmp_path)[1] == 0
    blind = changed(greedy, "MOST_MISSING = 1e-13", "MOST_MISSING = Infinity")
    found = answers(blind, [entries(engine, case) for case in given], tmp_path)
    lost = [
        worst(own["posterior"], told(engine, case)["posterior"])
        for case, own in zip(given, found, strict=True)
    ]
    assert max(lost) > 10.0 * TOLERANCE


def count_present(case: dict) -> int:
    return sum(cell == "present" for cell in case.values())


def test_impossible_answers_are_named(engine: bayesdx.Engine, page: str, tmp_path: Path) -> None:
    clash = {"sex": "male", "menstrual_cyclic": "present", "fever": "present"}
    assert told(engine, clash)["status"] == "impossible"
    contradiction = {"sex": "male", "peripartum": "present", "fever": "present"}
    (own,) = answers(page, [entries(engine, contradiction)], tmp_path)
    assert (own["status"], own["clashes"]) == ("contradiction", ["sex"])
    assert compare(engine, page, [clash, contradiction], tmp_path)[1] == 0


def test_what_couples_too_much_is_told_and_still_judged(
    engine: bayesdx.Engine, page: str, tmp_path: Path
) -> None:
    impossible = {one.subject for one in engine.knowledge.exclusions}
    everything = {
        name: "present"
        for name, one in engine.knowledge.findings.items()
        if one.kind == "binary" and name not in impossible
    }
    (own,) = answers(page, [entries(engine, everything)], tmp_path)
    assert own["status"] == "too_complex"
    assert own["clashes"]
    level = engine.core.urgency(engine.core.read_case(everything).facts, 1).level[0]
    assert own["urgency"] == LEVELS[level]


def test_questions_come_in_the_engines_order(
    engine: bayesdx.Engine, page: str, tmp_path: Path
) -> None:
    asked = [{}, {"low_back_pain": "present", "age": 41.0}, {"fever": "present", "sex": "female"}]
    asked.append({"sex": "male", "dur_gt_6mo": "present", "buttock_pain": "present"})
    given = [{"given": entries(engine, case), "ask": True} for case in asked]
    for case, own in zip(asked, answers(page, given, tmp_path), strict=True):
        table = engine.next_questions(case).table
        assert {name for name, _, _ in own} == set(table.index)
        for name, level, information in own:
            row = table.loc[name]
            assert level == row["red_flag_level"]
            if information:
                assert information == pytest.approx(row["information"], abs=1e-10)
        # Questions that tell as much per cost may come in either order.
        worth = [table.loc[name, "information_per_cost"] for name, level, _ in own if not level]
        known = [float(one) for one in worth if one == one]
        assert all(a >= b - 1e-10 for a, b in pairwise(known))
        ranks = [[*LEVELS, ""].index(level) for _, level, _ in own]
        assert ranks == sorted(ranks)


def test_a_changed_prior_changes_the_pages_answer(
    engine: bayesdx.Engine, page: str, tmp_path: Path
) -> None:
    case = {"low_back_pain": "present"}
    prior = Address("prior", "gtps")
    value = prior.get(engine.knowledge)
    other = bayesdx.Engine(prior.set(engine.knowledge, 1.5 * float(str(value))))
    (before,) = answers(page, [entries(engine, case)], tmp_path)
    (after,) = answers(standalone_page(other), [entries(engine, case)], tmp_path)
    assert after["posterior"]["gtps"] > 1.2 * before["posterior"]["gtps"]
    assert worst(after["posterior"], told(other, case)["posterior"]) <= TOLERANCE


def test_the_digits_of_the_readme(engine: bayesdx.Engine, page: str, tmp_path: Path) -> None:
    case, digits = readme_session(set(engine.causes.index))
    (own,) = answers(page, [entries(engine, case)], tmp_path)
    for name, said in digits.items():
        assert f"{own['posterior'][name]:.3f}" == said


def readme_session(causes: set[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The case that the README answers, and the posteriors that it prints."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"diagnose\((\{.*?\})\)", text)
    digits = dict(re.findall(r"^(\w+) +(0\.\d{3})$", text, re.MULTILINE))
    assert found is not None
    shown = {name: said for name, said in digits.items() if name in causes}
    assert shown
    return ast.literal_eval(found[1]), shown


def test_data_reads_back_to_the_same_numbers(engine: bayesdx.Engine, page: str) -> None:
    data = json.loads(unsqueezed(page, "knowledge"))
    assert data == json.loads(json.dumps(in_columns(page_data(engine))))
    found, links = data["network"]["findings"]["columns"], engine.core.model.links
    close = {"rtol": 10.0 ** (1 - DIGITS) / 2.0, "atol": 0.0}
    np.testing.assert_allclose(found["leak"], links.leak, **close)
    for f, (at, strengths) in enumerate(zip(found["causes"], found["strengths"], strict=True)):
        np.testing.assert_allclose(strengths, links.strength[at, f], **close)
        assert np.count_nonzero(links.strength[:, f]) == len(at)
