"""The interview of `bayesdx ask` simulated: questions until urgency and first cause are final.

Each case answers from its row; what the row does not tell stays unknown, and the question has been
put all the same. *ask* is `bayesdx.cli.interview_course` (age, sex and main complaint, red flags,
what tells most; 30 at most), *list* all questions from the top: what the person notices, the
complaint first, then what an examination, the laboratory and imaging show. The goal is what the
whole row gives. Self-consistency of the order of questions, no accuracy.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from interviews import first_causes, told_by
from scenarios import read_labelled

import bayesdx
from bayesdx.cli.asking import questions
from bayesdx.cli.interview_course import COMPLAINT, MOST, choose, complaints_of, opening_of
from bayesdx.diagnosis.asking.inquiries import inquiries_of

ROOT = Path(__file__).resolve().parents[2]
#: One answer: questions put so far, the urgency and the first cause after it.
Step = tuple[int, str, str]


class Reached(NamedTuple):
    """Questions put until each goal was reached for good; None where it never was."""

    put: int
    urgency: int | None
    first_cause: int | None


def led(engine: bayesdx.Engine, row: Mapping[str, object]) -> list[Step]:
    """Lead one interview of `bayesdx ask`."""
    every = {one.id: one for one in inquiries_of(engine.core).every}
    opening, known, unknown, parts = list(opening_of(engine, ())), {}, [], []
    told_after: list[tuple[int, dict[str, str]]] = [(0, {})]
    while True:
        table = engine.next_questions(known, without=unknown, observed_by=askers(engine)).table
        put = choose(table, opening, parts)
        if put is None:
            return answered(engine, told_after)
        parts.append(put.part)
        if put.question in opening:
            opening.remove(put.question)
        if put.question == COMPLAINT:
            named = [n for n in complaints_of(engine) if str(row.get(n)) in ("present", "yes")]
            told = {named[0]: "yes"} if named else {}
        else:
            told = {k: v for k, v in told_by(row, every[put.question]).items() if k not in known}
        if told:
            known |= told
            told_after.append((len(parts), dict(known)))
        elif put.question != COMPLAINT:
            unknown.append(put.question)
        if len(parts) > MOST:
            raise ValueError(f"an interview has at most {MOST} questions")


def askers(engine: bayesdx.Engine) -> str | None:
    """Who is asked by default."""
    return next((one.id for one in engine.knowledge.askers if one.id == "clinician"), None)


def read_out(engine: bayesdx.Engine, row: Mapping[str, object]) -> list[Step]:
    """Ask everything in the order of a plain list."""
    known: dict[str, str] = {}
    told_after: list[tuple[int, dict[str, str]]] = [(0, {})]
    for put, question in enumerate(questions(engine.knowledge), 1):
        cell = row.get(question.id)
        if not pd.isna(cell) and str(cell).strip():
            known[question.id] = str(cell).strip()
            told_after.append((put, dict(known)))
    return answered(engine, told_after)


def answered(
    engine: bayesdx.Engine, told_after: Sequence[tuple[int, Mapping[str, str]]]
) -> list[Step]:
    """Answer all that was known after each question, as one table."""
    frame = pd.DataFrame([known for _, known in told_after], dtype=object).fillna("")
    scores = engine.score(frame)
    causes, urgency = first_causes(engine, scores).tolist(), scores["urgency"].tolist()
    return [(put, *last) for (put, _), *last in zip(told_after, urgency, causes, strict=True)]


def reached(steps: Sequence[Step], urgency: str, first: str) -> Reached:
    """Say after how many questions both were what they stay to be."""

    def since(at: int, goal: str) -> int | None:
        if steps[-1][at] != goal:
            return None
        put = steps[-1][0]
        for step in reversed(steps):
            if step[at] != goal:
                break
            put = step[0]
        return put

    return Reached(steps[-1][0], since(1, urgency), since(2, first))


def main(arguments: list[str] | None = None) -> None:
    """Lead every so many interviews of both files and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", nargs="+", default=["typical", "published"])
    parser.add_argument("--every", type=int, default=1, help="take every so many cases")
    parser.add_argument("--backend", default="auto")
    options = parser.parse_args(arguments)
    engine = bayesdx.load(backend=options.backend)
    print(HEAD)
    for name in options.files:
        findings = read_labelled(ROOT / "scenarios" / f"{name}.csv").findings
        runs: dict[str, list[Reached]] = {"ask": [], "list": []}
        for row in findings.iloc[:: options.every].to_dict("records"):
            case = {str(k): v for k, v in row.items() if not pd.isna(v) and str(v).strip()}
            goal = answered(engine, [(0, case)])[0][1:]
            runs["ask"].append(reached(led(engine, case), *goal))
            runs["list"].append(reached(read_out(engine, case), *goal))
        for order, found in runs.items():
            print(line(name, order, found), flush=True)


WITHIN = f"within {MOST}"
HEAD = (
    f"| cases | order | put | urgency final after | {WITHIN} "
    f"| first cause final after | {WITHIN} |\n"
    f"|{7 * '---|'}"
)


def line(name: str, order: str, runs: Sequence[Reached]) -> str:
    """One order on one file: medians, and the share that reached its goal within `MOST`."""
    cells = [f"{len(runs)} of {name}", order, f"{np.median([run.put for run in runs]):g}"]
    for goal in ("urgency", "first_cause"):
        put = [np.inf if (n := getattr(run, goal)) is None else n for run in runs]
        cells += [f"{np.median(put):g}", f"{np.mean([n <= MOST for n in put]):.0%}"]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
