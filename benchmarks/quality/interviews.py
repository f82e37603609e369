"""Interviews simulated on labelled cases: how many questions until the answer is what it stays.

Each case answers questions from what its row tells; what the row does not tell stays unknown, and
the question has been put all the same. Nothing is known at the start. An interview has arrived when
the first cause (or the urgency) is that of the whole row, and stays so to the end.

Orders: *ours*, as `Engine.next_questions` gives it; the same *without red flags* first; *greedy
entropy*, the most information next whatever it costs; and *random*, several times.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from metrics import Floats, bootstrap_mean
from scenarios import Labelled, read_labelled

import bayesdx
from bayesdx.diagnosis.asking.inquiries import Inquiry, inquiries_of
from bayesdx.diagnosis.asking.outlook import outlooks_of
from bayesdx.diagnosis.asking.question_order import ranking
from bayesdx.knowledge.red_flag_schema import LEVELS

ROOT = Path(__file__).resolve().parents[2]
ADAPTIVE = ("ours", "without_red_flags", "greedy_entropy")
ORDERS = (*ADAPTIVE, "random")
GOALS = ("first_cause", "urgency")


class Course(NamedTuple):
    """One interview; entry 0 of each is the start, the others follow each answer that told.

    Attributes
    ----------
    put : tuple of int
        Questions put so far.
    cost : tuple of float
        What they cost.
    first_cause, urgency : tuple of str
    """

    put: tuple[int, ...]
    cost: tuple[float, ...]
    first_cause: tuple[str, ...]
    urgency: tuple[str, ...]


def told_by(row: Mapping[str, object], inquiry: Inquiry) -> dict[str, str]:
    """Everything that a row says about one question."""
    cells = {name: row.get(name) for name in inquiry.parts}
    words = {name: "" if pd.isna(cell) else str(cell).strip() for name, cell in cells.items()}
    return {name: word for name, word in words.items() if word}


def adaptive(engine: bayesdx.Engine, row: Mapping[str, object], order: str) -> Course:
    """Put the best question next, again after each answer that told something."""
    core, every = engine.core, inquiries_of(engine.core).every
    asked: set[str] = set()
    known: dict[str, str] = {}
    put, cost, steps = 0, 0.0, []
    while True:
        outlook = outlooks_of(core, core.read_case(known))[0]
        found = ranking(outlook)
        first = core.model.causes[core.modelled[outlook.base[core.modelled].argmax()]]
        steps.append((put, cost, first, LEVELS[outlook.level[-1]]))
        if order == "ours":
            chosen = found.order
        elif order == "without_red_flags":
            chosen = np.argsort(-found.information_per_cost, kind="stable")
        else:
            chosen = np.argsort(-found.information, kind="stable")
        told: dict[str, str] = {}
        for i in outlook.owner[outlook.first][chosen]:
            if every[i].id in asked:
                continue
            asked.add(every[i].id)
            put, cost = put + 1, cost + every[i].cost
            told = {k: v for k, v in told_by(row, every[i]).items() if k not in known}
            if told:
                break
        if not told:
            return Course(*map(tuple, zip(*steps, strict=True)))
        known |= told


def at_random(
    engine: bayesdx.Engine, rows: list[Mapping[str, object]], times: int, rng: np.random.Generator
) -> list[list[Course]]:
    """Courses of every row under random orders; all prefixes are answered as one table."""
    every = inquiries_of(engine.core).every
    prefixes: list[dict[str, str]] = []
    courses: list[list[tuple[list[int], list[float], int]]] = []
    for row in rows:
        courses.append([])
        for _ in range(times):
            known: dict[str, str] = {}
            put, cost, begin = [0], [0.0], len(prefixes)
            prefixes.append({})
            spent = 0.0
            for number, i in enumerate(rng.permutation(len(every)), 1):
                spent += every[i].cost
                told = told_by(row, every[i])
                if told.keys() - known.keys():
                    known = known | told
                    put.append(number)
                    cost.append(spent)
                    prefixes.append(known)
            courses[-1].append((put, cost, begin))
    scores = engine.score(pd.DataFrame(prefixes, dtype=object).fillna(""))
    first, urgency = first_causes(engine, scores), scores["urgency"].to_numpy()
    return [
        [
            Course(
                tuple(put),
                tuple(cost),
                tuple(first[begin : begin + len(put)]),
                tuple(urgency[begin : begin + len(put)]),
            )
            for put, cost, begin in one
        ]
        for one in courses
    ]


def first_causes(engine: bayesdx.Engine, scores: pd.DataFrame) -> Any:
    """The modelled cause with the highest posterior in each row, in the order of the model."""
    causes = [engine.core.model.causes[i] for i in engine.core.modelled]
    return np.array(causes, dtype=object)[scores[causes].to_numpy().argmax(axis=1)]


def arrival(course: Course, goal: str, wanted: str) -> tuple[int, float]:
    """Questions put, and their cost, when the goal was reached for good."""
    reached = [value == wanted for value in getattr(course, goal)]
    if not reached[-1]:
        raise ValueError(f"an interview that was told everything ends at {wanted!r}")
    step = len(reached)
    while step and reached[step - 1]:
        step -= 1
    return course.put[step], course.cost[step]


def measure(
    engine: bayesdx.Engine,
    cases: Labelled,
    times: int,
    seed: int,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Lead every interview of one file, in every order."""
    rng = np.random.default_rng([seed, 7])
    rows = [{str(k): v for k, v in row.items()} for row in cases.findings.to_dict("records")]
    scores = engine.score(cases.findings)
    wanted = {"first_cause": first_causes(engine, scores), "urgency": scores["urgency"].to_numpy()}
    possible = np.flatnonzero(scores["status"] == "ok")
    rows = [rows[i] for i in possible]
    courses: dict[str, list[list[Course]]] = {}
    for order in ADAPTIVE:
        courses[order] = [[adaptive(engine, row, order)] for row in rows]
        say(f"interviews: {order}")
    courses["random"] = at_random(engine, rows, times, rng)
    result: dict[str, Any] = {
        "n": len(rows),
        "left_out": [cases.ids[i] for i in range(len(cases)) if i not in possible],
        "questions": len(inquiries_of(engine.core).every),
        "random_orders": times,
        "orders": {},
        "cases": [cases.ids[i] for i in possible],
    }
    for order, found in courses.items():
        part: dict[str, Any] = {}
        for goal in GOALS:
            arrived = [
                [arrival(course, goal, str(wanted[goal][i])) for course in one]
                for i, one in zip(possible, found, strict=True)
            ]
            put = np.array([[a for a, _ in one] for one in arrived], dtype=np.float64)
            cost = np.array([[b for _, b in one] for one in arrived])
            part[goal] = {
                "questions": bootstrap_mean(put.mean(axis=1), rng),
                "median": float(np.median(put)),
                "at_start": float((put == 0.0).mean()),
                "cost": bootstrap_mean(cost.mean(axis=1), rng),
                "curve": _curve(put, result["questions"]),
                "by_case": put.mean(axis=1),
            }
        result["orders"][order] = part
    return result


def _curve(put: Floats, last: int) -> Floats:
    """Share of interviews that have arrived after 0, 1, 2 ... questions."""
    return (put.ravel()[:, None] <= np.arange(last + 1)).mean(axis=0)


def main(arguments: list[str] | None = None) -> None:
    """Measure one or both files by themselves and print the tables."""
    from writing import interview_table

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", nargs="+", default=["documents", "published"])
    parser.add_argument("--times", type=int, default=5, help="random orders a case")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    engine = bayesdx.load()
    for name in options.files:
        cases = read_labelled(ROOT / "scenarios" / f"{name}.csv")
        part = measure(
            engine, cases, options.times, options.seed, lambda t: print(t, file=sys.stderr)
        )
        print(f"{name}.csv\n\n{interview_table(part)}\n")


if __name__ == "__main__":
    main()
