"""Discrimination and calibration on real patients: an expert's mechanism against posteriors.

``python benchmarks/quality/patients.py --patients FILE`` reads a table of adults with low-back
pain, a row a patient: columns ``Criterion2`` to ``Criterion37`` (1 yes, 0 no, blank missing) and
``mechanism``, the judgement of an expert. It is that of Smart et al. 2011 (Clin J Pain 27:655),
tabulated in the supplement of Fop, Smart and Murphy 2017 (Ann Appl Stat 11:2080); it is not part of
this project. Nothing is fitted to it: intervals are those of patients drawn anew.

With ``--learn`` the same is measured once more after learning: numbers are learned from four fifths
of the patients, whose mechanisms are labels of the causes that stand for them while all other
causes stay hidden, and answer the last fifth; five times over, in other parts each time. What is
learned is not kept: the numbers of this project stay what the documents say. Discrimination is that
among patients of one part, whom the same numbers answered, before and after: patients of different
parts are ranked by different numbers, which lowers an area that is taken over all of them (Forman
and Scholz 2010, SIGKDD Explor 12:49).

The expert saw the same criteria, and judged mechanisms, not causes; patients of the nerve group
have what `CAUSES` names for the most part, not always. Agreement is with that judgement.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import metrics
import numpy as np
import pandas as pd
from scipy.stats import rankdata

import bayesdx
from bayesdx.diagnosis.learning.case_weight import AUTO, CaseWeight, ModeSearch
from bayesdx.diagnosis.learning.labels import CAUSE
from bayesdx.diagnosis.learning.learning_table import AS_WRITTEN, read_table
from bayesdx.diagnosis.learning.movable import movable_numbers
from bayesdx.diagnosis.learning.number_posterior import Start, fit_numbers, stated_start
from bayesdx.inference.noisy.query import posteriors

#: What was recorded, and the finding that comes nearest. Others have none here.
FINDINGS: Mapping[str, str] = {
    "Criterion6": "no_relief_with_rest",
    "Criterion9": "leg_radiation_below_knee",
    "Criterion13": "pain_unpredictable",
    "Criterion15": "numbness_tingling",
    "Criterion19": "night_pain",
    "Criterion28": "spine_motion_worse",
    "Criterion37": "neural_tissue_tender",
}
#: Every patient has it.
COMPLAINT = "low_back_pain"
#: The mechanism that the expert named, and the cause that stands for it.
CAUSES: Mapping[str, str] = {
    "Peripheral Neuropathic": "lumbar_radiculopathy",
    "Central Neuropathic": "nociplastic_pain",
}
MECHANISMS = (*CAUSES, "Nociceptive")
EDGES = np.array([0.0, 0.05, 0.2, 0.5, 0.8, 0.95, 1.0])
RESAMPLES, SEED = 2000, 0
FOLDS, REPEATS = 5, 5

_CELLS = {"1": "present", "0": "absent", "": ""}


def read_patients(path: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Read what was recorded, as cases, and the mechanism of each patient.

    Raises
    ------
    SystemExit
        With every fault of the table, if there is one.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as fault:
        raise SystemExit(f"{path}: expected a table of patients, got {fault}") from fault
    lacking = [name for name in (*FINDINGS, "mechanism") if name not in table]
    if lacking or table.empty:
        raise SystemExit(f"{path}: expected rows with {', '.join(lacking or FINDINGS)}")
    faults = [
        f"{path}: line {row + 2}, {name}: expected 1, 0 or blank, got {cell!r}"
        for name in FINDINGS
        for row, cell in enumerate(table[name])
        if cell not in _CELLS
    ]
    faults += [
        f"{path}: line {row + 2}, mechanism: expected {', '.join(MECHANISMS)}, got {cell!r}"
        for row, cell in enumerate(table["mechanism"])
        if cell not in MECHANISMS
    ]
    if faults:
        raise SystemExit("\n".join(faults))
    cases = pd.DataFrame({ours: table[theirs].map(_CELLS) for theirs, ours in FINDINGS.items()})
    return cases.assign(**{COMPLAINT: "present"}), table["mechanism"].to_numpy(dtype=str)


def area_under_curve(said: np.ndarray, truth: np.ndarray) -> float:
    """Probability that a patient with the label is given more than one without it; ties half."""
    n, m = int(truth.sum()), int((~truth).sum())
    if not n or not m:
        return float("nan")
    return float((rankdata(said)[truth].sum() - n * (n + 1) / 2) / (n * m))


def measures(said: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Discrimination and calibration of the probabilities of one cause."""
    fit = metrics.calibration(said, truth)
    return {
        "auc": area_under_curve(said, truth),
        "slope": fit.slope,
        "intercept": fit.intercept,
        "brier": metrics.brier(said, truth),
        "said": float(said.mean()),
        "observed": float(truth.mean()),
    }


def with_intervals(
    said: np.ndarray,
    truth: np.ndarray,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    take: Callable[[np.ndarray, np.ndarray], dict[str, float]] = measures,
) -> dict[str, list[float]]:
    """Measure, with 95 % intervals of patients drawn anew: value, low, high, or nothing."""
    own = take(said, truth)
    drawn = []
    for _ in range(resamples):
        rows = rng.integers(len(said), size=len(said))
        drawn.append(list(take(said[rows], truth[rows]).values()))
    columns = (np.array(one)[np.isfinite(one)] for one in zip(*drawn, strict=True))
    # What cannot be fitted, such as labels that are all alike, has no value and no interval.
    return {
        name: [value, *np.quantile(column, [0.025, 0.975]).tolist()]
        if math.isfinite(value) and len(column)
        else []
        for (name, value), column in zip(own.items(), columns, strict=True)
    }


def study(
    engine: bayesdx.Engine,
    cases: pd.DataFrame,
    mechanism: np.ndarray,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, Any]:
    """Compare the posteriors of the patients with the expert's mechanisms."""
    scores, rng = engine.score(cases), np.random.default_rng(seed)
    answered = (scores["status"] == "ok").to_numpy()
    groups = {}
    for label, cause in CAUSES.items():
        said = scores.loc[answered, cause].to_numpy(dtype=np.float64)
        truth = mechanism[answered] == label
        bins = metrics.reliability(said, truth, EDGES)
        low, high = metrics.wilson_bins(bins)
        groups[label] = {
            "cause": cause,
            "patients": int(truth.sum()),
            "measures": with_intervals(said, truth, rng, resamples),
            "bins": [
                {"n": int(n), "said": float(p), "observed": float(e / n), "low": lo, "high": hi}
                for n, p, e, lo, hi in zip(*bins, low.tolist(), high.tolist(), strict=True)
                if n
            ],
        }
    return {
        "patients": len(cases),
        "answered": int(answered.sum()),
        "knowledge": engine.knowledge.digest,
        "resamples": resamples,
        "seed": seed,
        "groups": groups,
    }


class HeldOut(NamedTuple):
    """What numbers say of patients from whom they were not learned.

    Attributes
    ----------
    said : array (repeats, 2, N)
        Posteriors of `CAUSES`.
    part : int array (repeats, N)
        In which part each patient was.
    weights : array (repeats, folds)
        What a patient counted as in each fit.
    """

    said: np.ndarray
    part: np.ndarray
    weights: np.ndarray


def learned_posteriors(
    engine: bayesdx.Engine,
    cases: pd.DataFrame,
    mechanism: np.ndarray,
    folds: int = FOLDS,
    repeats: int = REPEATS,
    seed: int = SEED,
    case_weight: CaseWeight = 1.0,
) -> HeldOut:
    """Posteriors of `CAUSES` for patients by numbers learned without them."""
    core, rng = engine.core, np.random.default_rng(seed)
    labels = {
        CAUSE + cause: np.where(mechanism == label, "present", "absent")
        for label, cause in CAUSES.items()
    }
    frame = cases.assign(**labels)
    table = read_table(core, [frame], AS_WRITTEN)
    if table.counts["used"] < len(cases):
        raise SystemExit(f"{len(cases) - table.counts['used']} patients cannot be learned from")
    chain = movable_numbers(core, "selected")
    # Where the search of a fold begins saves time and leaves nothing else behind.
    whole = fit_numbers(chain, table.rows, stated_start(chain), widths=False)
    start, n = Start(whole.steps, chain.slopes(whole.steps)), len(cases)
    at = [core.model.causes.index(cause) for cause in CAUSES.values()]
    search = ModeSearch(chain, table, case_weight, seed)
    said, weights = np.empty((repeats, len(at), n)), np.empty((repeats, folds))
    part = np.empty((repeats, n), dtype=np.intp)
    for repeat in range(repeats):
        order = rng.permutation(n)
        for fold in range(folds):
            held = np.sort(order[fold::folds])
            part[repeat, held] = fold
            rest = np.setdiff1d(np.arange(n), held)
            found, weights[repeat, fold] = search.mode("", rest, start)
            model = chain.model(found.steps)
            assert model is not None
            answer = posteriors(model, table.evidence.take(held)).complete()
            said[repeat][:, held] = answer.causes[:, at].T
    return HeldOut(said, part, weights)


def area_within(said: np.ndarray, part: np.ndarray, truth: np.ndarray) -> float:
    """Area under the curve among patients of one part, averaged over parts that have both kinds."""
    areas = [area_under_curve(said[part == one], truth[part == one]) for one in np.unique(part)]
    return float(np.mean([area for area in areas if math.isfinite(area)] or [math.nan]))


def repeated(said: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Measure the answers of several repeats, and average what was found.

    ``said``, (N, repeats, 3): by learned numbers, by the stated ones, and the part of each patient.
    """
    found = []
    for after, before, part in said.transpose(1, 2, 0):
        areas = [area_within(one, part, truth) for one in (before, after)]
        own = {"auc before": areas[0], "auc": areas[1], "gained": areas[1] - areas[0]}
        found.append({**own, **{k: v for k, v in measures(after, truth).items() if k != "auc"}})
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


def learned_lines(
    found: HeldOut,
    stated: np.ndarray,
    mechanism: np.ndarray,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> list[str]:
    """Say what the answers of learned numbers are worth; ``stated``, (2, N), beside them."""
    rng, weights = np.random.default_rng(seed), found.weights
    lines = [
        "",
        f"Learned without the patients who are answered, {len(found.said)} times in other parts;",
        f"each patient counted as {weights.mean():.3g} ({weights.min():g} to {weights.max():g}).",
        "Areas are those among patients of one part.",
    ]
    for i, (label, cause) in enumerate(CAUSES.items()):
        lines += ["", f"{label}: posterior of {cause}"]
        before = np.broadcast_to(stated[i], found.part.shape)
        said = np.stack([found.said[:, i], before, found.part], axis=-1).transpose(1, 0, 2)
        lines += measure_lines(with_intervals(said, mechanism == label, rng, resamples, repeated))
    return lines


def measure_lines(found: Mapping[str, list[float]]) -> list[str]:
    """A line a measure."""
    return [
        f"  {name:<10} "
        + (f"{at[0]:6.3f}  {at[1]:6.3f} to {at[2]:6.3f}" if at else "not to be had")
        for name, at in found.items()
    ]


def lines_of(found: Mapping[str, Any]) -> list[str]:
    """Say it in words and numbers."""
    lines = [
        f"{found['answered']} of {found['patients']} patients answered; 95 % intervals of "
        f"{found['resamples']} sets of patients drawn anew (seed {found['seed']}).",
        "Agreement with an expert who saw the same criteria; nothing was fitted to these patients.",
    ]
    for label, one in found["groups"].items():
        lines += ["", f"{label} ({one['patients']} patients): posterior of {one['cause']}"]
        lines += measure_lines(one["measures"])
        lines.append("  said, observed, of how many:")
        lines += [
            f"  {said:6.3f} {observed:6.3f}  {low:6.3f} to {high:6.3f}  {n}"
            for n, said, observed, low, high in (tuple(b.values()) for b in one["bins"])
        ]
    return lines


def main(words: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--patients", type=Path, required=True, metavar="FILE")
    parser.add_argument("--priors", type=Path, default=None, help="a knowledge folder")
    parser.add_argument("--setting", default=None, help="a setting of the knowledge")
    parser.add_argument("--resamples", type=int, default=RESAMPLES)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--learn", action="store_true", help="also after learning, held out")
    parser.add_argument("--case-weight", default="1", help="of a patient, see Engine.learn; auto")
    parser.add_argument("-o", "--output", type=Path, default=None, help="also as JSON")
    told = parser.parse_args(words)
    cases, mechanism = read_patients(told.patients)
    engine = bayesdx.load(told.priors, setting=told.setting)
    found = study(engine, cases, mechanism, told.resamples, told.seed)
    if told.output is not None:
        told.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    lines = lines_of(found)
    if told.learn:
        weight = AUTO if told.case_weight == AUTO else float(told.case_weight)
        held = learned_posteriors(engine, cases, mechanism, seed=told.seed, case_weight=weight)
        scores = engine.score(cases)
        stated = np.stack([scores[cause].to_numpy(dtype=float) for cause in CAUSES.values()])
        lines += learned_lines(held, stated, mechanism, told.resamples, told.seed)
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
