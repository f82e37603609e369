"""Cases for the page that answers in a browser, and what the engine says of them.

Most are drawn from the model and told in part, as somebody would: with soft evidence, grades,
thresholds and measured numbers, some answers wrong, some cases put together from several. Others
are answers at random, of which some contradict each other and some are impossible together.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bayesdx
from bayesdx.diagnosis.synthetic import SampleOptions
from bayesdx.reports.browser.writing import unsqueezed
from bayesdx.tables.drawn_cases import SampleTables

RUNNER = Path(__file__).with_name("page_answers.mjs")
#: How much is told of a case, and which share of the cases is so.
TOLD = {
    "few": (0.35, SampleOptions(asked=(0.0, 0.06), risks_asked=(0.05, 0.3), soft=0.2)),
    "interview": (0.35, SampleOptions(asked=(0.05, 0.2), risks_asked=(0.2, 0.6), soft=0.1)),
    "strange": (0.1, SampleOptions(asked=(0.05, 0.2), strangers=1.0, flip=0.05, soft=0.1)),
    "form": (0.05, SampleOptions(asked=(0.5, 0.8), risks_asked=(0.8, 1.0))),
}
Case = dict[str, Any]


def node() -> str:
    """Node, or a skip where there is none."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("Node is not installed")
    return found


def cases(engine: bayesdx.Engine, count: int, seed: int) -> Iterator[Case]:
    """Yield ``count`` cases of every kind, as `Engine.diagnose` takes them.

    The seed is that of the answers at random; cases drawn from the model begin alike.
    """
    left, known = count, {*engine.core.states, *engine.knowledge.measures}
    for share, options in TOLD.values():
        number = round(share * count)
        left -= number
        for table in SampleTables(engine, number, options).chunks():
            names = [name for name in table.column_names if name in known]
            for row in table.select(names).to_pylist():
                yield {name: cell for name, cell in row.items() if cell is not None}
    rng = np.random.default_rng(seed)
    yield from (_at_random(engine, rng) for _ in range(left))


def _at_random(engine: bayesdx.Engine, rng: np.random.Generator) -> Case:
    """Answer some questions without looking at others."""
    knowledge, case = engine.knowledge, Case()
    names = [name for name in engine.core.states if rng.random() < 0.06]
    for name in names:
        states = engine.core.states[name]
        finding = knowledge.findings.get(name)
        if finding is not None and finding.kind == "binary" and rng.random() < 0.15:
            case[name] = float(rng.integers(1, 100)) / 100
        else:
            case[name] = str(rng.choice(states))
    for name, measure in knowledge.measures.items():
        if rng.random() < 0.1 and name not in case:
            low, high = measure.range
            number = low + (high - low) * rng.random() ** 3
            case[name] = float(round(number) if measure.integer else round(number, 2))
    return case


def entries(engine: bayesdx.Engine, case: Case) -> list[dict[str, Any]]:
    """Return a case as the page is given it."""
    found = []
    for name, cell in case.items():
        states = engine.core.states.get(name, ())
        if isinstance(cell, str) and cell in states:
            found.append({"kind": "state", "id": name, "value": states.index(cell)})
        else:
            kind = "number" if name in engine.knowledge.measures else "soft"
            found.append({"kind": kind, "id": name, "value": float(cell)})
    return found


def told(engine: bayesdx.Engine, case: Case) -> dict[str, Any]:
    """Return what the engine says, in the form that the page's runner writes."""
    try:
        found = engine.diagnose(case)
    except bayesdx.InvalidCase:
        return {"status": "contradiction"}
    return {
        "status": found.status,
        "urgency": found.urgency,
        "logEvidence": found.log_evidence,
        "posterior": found.table["posterior"].to_dict(),
        "explains": found.table["explains"].to_dict(),
        "groups": found.groups["posterior"].to_dict(),
        "shortlist": dict(zip(found.shortlist.index, found.shortlist["why"], strict=True)),
        "flags": [
            [hit.id, hit.outcome, list(hit.because), list(hit.not_asked)] for hit in found.red_flags
        ],
        "calls": [[hit.cause, list(hit.because)] for hit in found.triage],
        "askFirst": [[one.cause, list(one.findings)] for one in found.ask_first],
        "texts": [hit.id for hit in (*found.pitfalls, *found.management)],
        "clashes": list(found.clashes),
    }


def answers(page: str, given: list[list[dict[str, Any]]], folder: Path) -> list[dict[str, Any]]:
    """Answer cases with the program that a page carries, in Node."""
    program, data, asked = folder / "program.js", folder / "data.json", folder / "cases.json"
    program.write_text(unsqueezed(page, "program"), encoding="utf-8")
    data.write_text(unsqueezed(page, "knowledge"), encoding="utf-8")
    asked.write_text(json.dumps(given), encoding="utf-8")
    out = folder / "answers.json"
    subprocess.run([node(), str(RUNNER), str(program), str(data), str(asked), str(out)], check=True)
    found: list[dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))
    return found
