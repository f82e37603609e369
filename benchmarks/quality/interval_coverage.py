"""Do 90 % intervals hold 90 % of the time, when the numbers are as uncertain as they are stated?

A knowledge is drawn from the elicited distributions and taken for the truth; its own posteriors of
some cases are looked for in the intervals that the engine gives, whose draws are independent of the
truth. Two kinds of truth: *assembled*, where the whole network is built anew, correction for shared
risks included, and *drawn*, many more of them, answered as the intervals' own draws are. What the
one covers less than the other is what that shortcut costs.

All of it is self-consistency: truth and intervals come from one set of distributions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from metrics import Floats
from noise import assemble_draw, draw_values
from numpy.typing import NDArray
from simulated import hide

import bayesdx
from bayesdx.building.perturbations import Perturbations
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.first_order import answers_under, first_order
from bayesdx.diagnosis.intervals import intervals_of
from bayesdx.inference import Evidence, posteriors
from bayesdx.inference.noisy.sampling import sample_cases

LEVEL = 0.9
#: What coverage is aimed at.
AIM = (0.88, 0.92)
#: Posteriors, as stated, that are told apart.
SIZES: Floats = np.array([0.0, 0.001, 0.01, 0.1, 0.5, 1.0])
KINDS = ("assembled", "drawn", "first_order")


@dataclass(frozen=True)
class Extent:
    """How much is simulated: truths of both kinds, cases, draws an interval."""

    assembled: int
    drawn: int
    cases: int
    draws: int


FULL = Extent(assembled=120, drawn=2000, cases=30, draws=2000)
QUICK = Extent(assembled=2, drawn=100, cases=2, draws=200)


def study(
    engine: bayesdx.Engine, extent: Extent, seed: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Measure coverage.

    Returns
    -------
    dict
        ``overall`` and ``by_size``: for each kind the share covered, with its standard error over
        truths; ``first``: how often the cause said to be first is first, and how often that was
        said; ``deviation_ratio``: of the log-odds, first order over draws.
    """
    core = engine.core
    ready = core.perturbations
    cases = _cases(core, extent.cases, np.random.default_rng([seed, 3]))
    truths = {
        "assembled": _assembled(core, ready, cases, extent.assembled, seed, say),
        # A seed of its own: the draws of the intervals must not be among the truths.
        "drawn": _drawn(core, ready, cases, extent.drawn, seed + 1_000_003),
    }
    say("coverage: truths answered")
    parts = []
    for n in range(extent.cases):
        case = cases.take(np.array([n]))
        parts.append(_one_case(core, ready, case, {k: v[:, n] for k, v in truths.items()}, extent))
        say(f"coverage: case {n + 1} of {extent.cases}")
    return _summary(parts, extent)


def _cases(core: Core, count: int, rng: np.random.Generator) -> Evidence:
    """Cases that the stated network makes, every second one without its risks."""
    evidence = hide(core.knowledge, core.model, sample_cases(core.model, count, rng), rng)
    risks = evidence.risks.copy()
    risks[1::2] = -1
    return Evidence(evidence.findings, evidence.lower, evidence.upper, risks, evidence.causes)


def _seen(core: Core, causes: Floats) -> Floats:
    """Posteriors of the causes as people see them, excluded ones left out."""
    return causes[..., core.modelled]


def _assembled(
    core: Core,
    ready: Perturbations,
    cases: Evidence,
    count: int,
    seed: int,
    say: Callable[[str], None],
) -> Floats:
    """Posteriors (truths, cases, causes) of networks that were built of drawn numbers."""
    answers = []
    for truth, stream in enumerate(np.random.SeedSequence([seed, 4]).spawn(count)):
        world = assemble_draw(
            core.knowledge, draw_values(ready.numbers, np.random.default_rng(stream))
        )
        answers.append(_seen(core, posteriors(world.assembly.model, cases).causes))
        if truth % 10 == 9:
            say(f"coverage: truth {truth + 1} of {count}")
    return np.stack(answers)


def _drawn(core: Core, ready: Perturbations, cases: Evidence, count: int, seed: int) -> Floats:
    truths = ready.drawn(count, seed)
    return np.stack(
        [
            _seen(core, truths.answer(cases.take(np.array([n]))).causes)
            for n in range(len(cases.findings))
        ],
        axis=1,
    )


@dataclass(frozen=True)
class _Part:
    """One case: which truths (T, C) each kind of interval covers, and what was said."""

    stated: Floats
    covered: Mapping[str, NDArray[np.bool_]]
    said_first: float
    was_first: Floats
    ratio: Floats


def _one_case(
    core: Core, ready: Perturbations, case: Evidence, truths: Mapping[str, Floats], extent: Extent
) -> _Part:
    near = first_order(core, ready, case)
    drawn = ready.drawn(extent.draws, 0)
    answers = answers_under(core, drawn, case)
    table = intervals_of(core, near, answers, LEVEL).loc[[core.causes[k] for k in core.columns]]
    low, high = table["low"].to_numpy(), table["high"].to_numpy()
    first_low = table["first_order_low"].to_numpy()
    first_high = table["first_order_high"].to_numpy()
    truth = truths["assembled"]
    covered = {
        "assembled": (truth >= low) & (truth <= high),
        "drawn": (truths["drawn"] >= low) & (truths["drawn"] <= high),
        "first_order": (truths["drawn"] >= first_low) & (truths["drawn"] <= first_high),
    }
    stated = table["posterior"].to_numpy()
    first = int(stated.argmax())
    deviation = table["deviation"].to_numpy()
    return _Part(
        stated=stated,
        covered=covered,
        said_first=float(table["p_first"].iloc[first]),
        was_first=(truth.argmax(axis=1) == first).astype(float),
        ratio=table["first_order_deviation"].to_numpy() / np.maximum(deviation, 1e-12),
    )


def _summary(parts: list[_Part], extent: Extent) -> dict[str, Any]:
    stated = np.stack([part.stated for part in parts])
    covered = {kind: np.stack([part.covered[kind] for part in parts], axis=1) for kind in KINDS}
    # What known risks exclude is 0 under every truth.
    everything = stated > 0.0
    by_size = []
    for low, high in pairwise(SIZES.tolist()):
        inside = (stated > low) & (stated <= high)
        by_size.append(
            {"from": low, "to": high, "n": int(inside.sum())}
            | {kind: _share(covered[kind], inside) for kind in KINDS}
        )
    common = stated >= 0.01
    ratios = np.stack([part.ratio for part in parts])[common]
    return {
        "level": LEVEL,
        "aim": list(AIM),
        "truths_assembled": extent.assembled,
        "truths_drawn": extent.drawn,
        "cases": extent.cases,
        "draws": extent.draws,
        "overall": {kind: _share(covered[kind], everything) for kind in KINDS},
        "at_least_1_percent": {kind: _share(covered[kind], common) for kind in KINDS},
        "by_size": by_size,
        "first_said": float(np.mean([part.said_first for part in parts])),
        "first_was": float(np.mean([part.was_first.mean() for part in parts])),
        "deviation_ratio": [float(q) for q in np.quantile(ratios, (0.1, 0.5, 0.9))],
    }


def _share(covered: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> dict[str, float]:
    """Share covered among chosen (case, cause) pairs; its standard error over truths."""
    if not chosen.any():
        return {"share": float("nan"), "error": float("nan")}
    by_truth = covered[:, chosen].mean(axis=1)
    error = by_truth.std(ddof=1) / np.sqrt(len(by_truth)) if len(by_truth) > 1 else float("nan")
    return {"share": float(by_truth.mean()), "error": float(error)}


WORDS = {
    "assembled": "networks built anew",
    "drawn": "drawn as intervals are",
    "first_order": "first order",
}


def markdown(part: Mapping[str, Any]) -> str:
    """Write the section of the report, without its figure."""
    header = ["posterior, as stated", "n", *(WORDS[kind] for kind in KINDS)]
    rows = [
        [size_words(row), str(row["n"]), *(_percent(row[kind]) for kind in KINDS)]
        for row in part["by_size"]
    ]
    for key, words in (("at_least_1_percent", "1 % and more"), ("overall", "all")):
        rows.append([words, "", *(_percent(part[key][kind]) for kind in KINDS)])
    low, middle, high = part["deviation_ratio"]
    table = ["| " + " | ".join(row) + " |" for row in (header, ["---"] * len(header), *rows)]
    return "\n\n".join(
        [
            "## Do intervals hold what they say",
            f"{100 * part['level']:.0f} % intervals of {part['cases']} simulated cases, "
            f"{part['draws']} draws each, against {part['truths_assembled']} drawn knowledges "
            f"that were assembled anew and {part['truths_drawn']} that were answered as the "
            "draws are. Self-consistency: truths and intervals come from one set of stated "
            "distributions. Standard errors over truths in brackets.",
            "\n".join(table),
            f"The cause said to be first is first under {100 * part['first_was']:.0f} % of the "
            f"truths; {100 * part['first_said']:.0f} % was said. The first-order deviation of "
            f"the log-odds over that of the draws, for posteriors of 1 % and more: {middle:.2f} "
            f"in the middle, {low:.2f} to {high:.2f} for the middle 80 %.",
        ]
    )


def size_words(row: Mapping[str, Any]) -> str:
    """Write the ends of a bin."""
    return f"{100 * row['from']:g} to {100 * row['to']:g} %"


def _percent(share: Mapping[str, float]) -> str:
    if np.isnan(share["share"]):
        return "none"
    return f"{100 * share['share']:.1f} % ({100 * share['error']:.1f})"
