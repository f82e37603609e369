"""The interview of `bayesdx ask` simulated: questions until urgency and first cause are final.

Each case answers from its row; what the row does not tell stays unknown, and the question has been
put all the same. *Now* is `bayesdx.cli.interview_course` (age, sex and main complaint,
red flags, what tells most; 30 at most), *before* the order of `Engine.next_questions` without an
end, which stopped by itself only when no answer could change the urgency. The goal is what the
whole row gives. Self-consistency of the order of questions, no accuracy.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from interviews import adaptive, told_by
from scenarios import read_labelled

import bayesdx
from bayesdx.cli.interview_course import COMPLAINT, MOST, choose, complaints_of, opening_of
from bayesdx.diagnosis.asking.inquiries import inquiries_of

ROOT = Path(__file__).resolve().parents[2]


class Reached(NamedTuple):
    """Questions put until each goal was reached for good; None where it never was."""

    put: int
    urgency: int | None
    first_cause: int | None


def led(engine: bayesdx.Engine, row: Mapping[str, object]) -> list[tuple[int, str, str]]:
    """Lead one interview: after each answer the questions put, the urgency and the first cause."""
    every = {one.id: one for one in inquiries_of(engine.core).every}
    opening, known, unknown, parts = list(opening_of(engine, ())), {}, [], []
    steps = [(0, *answer_of(engine, known))]
    while True:
        table = engine.next_questions(known, without=unknown, observed_by=askers(engine)).table
        put = choose(table, opening, parts)
        if put is None:
            return steps
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
            steps.append((len(parts), *answer_of(engine, known)))
        elif put.question != COMPLAINT:
            unknown.append(put.question)
        if len(parts) > MOST:
            raise ValueError(f"an interview has at most {MOST} questions")


def askers(engine: bayesdx.Engine) -> str | None:
    """Who is asked by default."""
    return next((one.id for one in engine.knowledge.askers if one.id == "clinician"), None)


def answer_of(engine: bayesdx.Engine, known: Mapping[str, str]) -> tuple[str, str]:
    """Urgency and first cause."""
    found = engine.diagnose(known)
    return found.urgency, str(found.table.index[0])


def reached(steps: list[tuple[int, str, str]], urgency: str, first: str) -> Reached:
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
    """Lead every so many interviews of both files and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", nargs="+", default=["documents", "published"])
    parser.add_argument("--every", type=int, default=1, help="take every so many cases")
    parser.add_argument("--backend", default="auto")
    options = parser.parse_args(arguments)
    engine = bayesdx.load(backend=options.backend)
    for name in options.files:
        findings = read_labelled(ROOT / "scenarios" / f"{name}.csv").findings
        now, before = [], []
        for row in findings.iloc[:: options.every].to_dict("records"):
            case = {str(k): v for k, v in row.items()}
            told = {k: v for k, v in case.items() if str(v).strip() and v == v}
            goal = answer_of(engine, told)
            now.append(reached(led(engine, case), *goal))
            course = adaptive(engine, case, "ours")
            old = list(zip(course.put, course.urgency, course.first_cause, strict=True))
            before.append(reached(old, *goal))
            print(f"  now {now[-1]}  before {before[-1]}", flush=True)
        for word, runs in (("now", now), ("before", before)):
            print(f"{name}: {word}, {len(runs)} cases: {summary(runs)}", flush=True)


def summary(runs: list[Reached]) -> str:
    """Medians, and the share that reached its goal within `MOST` questions."""
    parts = []
    for goal in ("urgency", "first_cause"):
        put = [np.inf if (n := getattr(run, goal)) is None else n for run in runs]
        within = float(np.mean([n <= MOST for n in put]))
        parts.append(f"{goal} median {np.median(put):g}, within {MOST}: {within:.0%}")
    return "; ".join(parts)


if __name__ == "__main__":
    main()
