"""The short answer: one screen for every case, plain words, numbers that are the engine's."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from bayesdx.diagnosis.briefing import QUESTIONS, brief_answer
from bayesdx.presentation.brief_view import COLUMNS, MOST_LINES, brief_blocks
from bayesdx.presentation.terminal import lines_of, make_console, show
from bayesdx.presentation.words import labels_of, lower_first, range_of_percents, whole_percent
from bayesdx.tables import RESERVED

SCENARIOS = Path(__file__).parents[2] / "scenarios"
FORBIDDEN = re.compile(
    r"\b(unlikely|safe|harmless|benign|reassur\w*|worry|all[- ]clear|nothing serious|will pass"
    r"|no danger|low risk|is fine|excluded|ruled out|rules? out|probably)\b",
    re.IGNORECASE,
)
#: Terms of the program that a reader meets first must not need.
PRIVATE = re.compile(
    r"JUDGEMENT|\bclin\b|\b[SX]-?\d|disablement|background excluded|\bbits?\b|\bR\b"
)
#: Far fewer draws than an answer takes: how many lines there are does not depend on them.
FEW = 2
SMALL = {"fair_pos": "present", "slr_pos": "absent", "age": "41", "potassium": "2.4"}


def spread(name: str, every: int) -> list[dict[str, str]]:
    """Take every so many rows of a scenario file, and the rows that say most."""
    with (SCENARIOS / name).open(encoding="utf-8", newline="") as file:
        rows = [
            {key: cell for key, cell in row.items() if cell and key not in RESERVED}
            for row in csv.DictReader(file)
        ]
    return [*rows[::every], *sorted(rows, key=len)[-1:]]


def printed(engine, findings, capsys, columns: int = COLUMNS, draws: int = FEW) -> str:
    console = make_console()
    console.width = columns
    brief = brief_answer(engine.core, findings, draws=draws)
    with console.capture() as caught:
        show(brief_blocks(brief, labels_of(engine.knowledge)), console)
    return caught.get()


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("name", "every"), [("documents.csv", 70), ("published.csv", 90), ("typical.csv", 150)]
)
def test_every_case_fits_one_screen_in_plain_words(engine, capsys, name: str, every: int) -> None:
    for findings in spread(name, every):
        out = printed(engine, findings, capsys)
        assert len(out.splitlines()) <= MOST_LINES, out
        assert max(map(len, out.splitlines())) <= COLUMNS
        assert FORBIDDEN.findall(out.replace("Nothing is ruled out", "")) == []
        assert PRIVATE.findall(out) == []
        assert not re.search(r"(?<![<\d] )(?<![\d.])0 %", out), out


@pytest.mark.slow
@pytest.mark.parametrize("name", ["documents.csv", "published.csv", "typical.csv"])
def test_all_scenarios_fit_one_screen(engine, capsys, name: str) -> None:
    labels = labels_of(engine.knowledge)
    for findings in spread(name, 1):
        brief = brief_answer(engine.core, findings, draws=FEW)
        assert lines_of(brief_blocks(brief, labels), COLUMNS) <= MOST_LINES, findings


def test_numbers_are_said_as_they_were_given(engine, capsys) -> None:
    out = flat(printed(engine, {**SMALL, "duration": "7 months"}, capsys))
    assert "age in years: 41" in out
    assert "potassium: 2.4 mmol/L" in out
    assert ": 7 months" in out
    assert "40 to 49" not in out


def test_what_counts_for_the_urgency_only_says_so(engine, capsys) -> None:
    name = min(engine.knowledge.urgency_only & {*engine.knowledge.findings})
    brief = brief_answer(engine.core, {"fair_pos": "present", name: "absent"}, draws=FEW)
    assert bool(brief.given.loc[name, "urgency_only"])
    out = flat(printed(engine, {"fair_pos": "present", name: "absent"}, capsys))
    assert re.search(r"For urgency only, moves no cause: [^:]+: no ", out)


def test_ranges_are_quantiles_of_the_same_draws_as_the_intervals(engine) -> None:
    brief = brief_answer(engine.core, SMALL, draws=30, seed=5)
    table = engine.intervals(SMALL, draws=30, seed=5, level=brief.level).table
    own = table.loc[brief.ranges.index, ["low", "high"]]
    np.testing.assert_allclose(brief.ranges.to_numpy(dtype=float), own.to_numpy(dtype=float))


def test_factors_multiply_to_the_change_of_the_odds(engine) -> None:
    brief = brief_answer(engine.core, SMALL, draws=FEW)
    first = brief.diagnosis.shortlist.iloc[0]
    before, after = (first[name] / (1.0 - first[name]) for name in ("prior", "posterior"))
    assert before * brief.reasons["odds"].prod() == pytest.approx(after, rel=1e-9)
    explained = engine.explain(SMALL, str(brief.diagnosis.shortlist.index[0]))
    alone = explained.of(str(explained.causes.index[0]))["contribution"]
    assert np.log(brief.reasons.loc["fair_pos", "odds"]) == pytest.approx(alone["fair_pos"])


def test_three_questions_tell_most_for_their_cost(engine) -> None:
    brief = brief_answer(engine.core, SMALL, draws=FEW)
    table = engine.next_questions(SMALL).table
    told = table.loc[table["kind"] != "risk", "information_per_cost"].astype(float)
    assert list(brief.questions.index) == list(told.nlargest(QUESTIONS).index)


def test_what_is_asked_first_raises_the_urgency_by_itself(engine) -> None:
    # Potassium below 2.5 would be an emergency by itself.
    case = SMALL | {"potassium": "2.8"}
    brief = brief_answer(engine.core, case, draws=FEW)
    table = engine.next_questions(case).table
    assert set(table.loc[list(brief.ask_first), "red_flag_level"]) <= {"emergency", "urgent"}
    assert table.loc[brief.ask_first[0], "red_flag_level"] == "emergency"


def test_emergency_says_now_and_no_later_day(engine, capsys) -> None:
    findings = dict.fromkeys(
        ("low_back_pain", "saddle_numbness", "bladder_bowel_change"), "present"
    )
    out = flat(printed(engine, findings, capsys)).split("look at first")[0]
    assert "Urgency: emergency ! Numb saddle area" in out
    assert "Go to an emergency department now" in out
    assert "other emergency rules wait for an answer. Ask these first: " in out
    assert not re.search(r"\b(today|within (one to three|a few) days|ordinary appointment)\b", out)


def test_impossible_answers_keep_urgency_and_have_no_numbers(engine, capsys) -> None:
    out = flat(printed(engine, {"menstrual_cyclic": "present", "sex": "male"}, capsys))
    assert "cannot occur together" in out
    assert "still counts" in out
    assert "look at first" not in out
    assert "Nothing is ruled out: " in out


def test_no_findings_still_say_what_to_ask(engine, capsys) -> None:
    out = flat(printed(engine, {"buttock_pain": "unknown"}, capsys))
    assert out.startswith("Understood: nothing present")
    assert "the urgency means nothing" in out
    assert "What tells most" in out


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_no_width_cuts_a_number(engine, capsys, columns: int) -> None:
    out = printed(engine, SMALL, capsys, columns)
    assert max(map(len, out.splitlines())) <= columns
    wide = printed(engine, SMALL, capsys, 200)
    number = r"(?:[<>] )?\d+(?:\.\d+)? %"
    assert sorted(re.findall(number, out)) == sorted(re.findall(number, wide))


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (0.0, "0 %"),
        (0.001, "< 1 %"),
        (0.006, "1 %"),
        (0.4567, "46 %"),
        (0.997, "> 99 %"),
        (1.0, "100 %"),
    ],
)
def test_whole_percents(probability: float, said: str) -> None:
    assert whole_percent(probability) == said


def test_ranges_of_percents() -> None:
    assert range_of_percents(0.012, 0.234) == "1 to 23 %"
    assert range_of_percents(0.001, 0.2) == "< 1 to 20 %"
    assert range_of_percents(0.001, 0.002) == "< 1 %"
    assert range_of_percents(float("nan"), float("nan")) == ""


def test_labels_within_a_sentence_begin_small() -> None:
    assert lower_first("A muscle is weak") == "a muscle is weak"
    assert lower_first("FAIR test positive") == "FAIR test positive"
