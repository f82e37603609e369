"""Cases drawn from the model, and from models whose numbers were drawn: is what is said kept?

The engine that scores is always the packaged one. Cases from its own network must come out
calibrated; that line shows the benchmark itself is right. Cases from drawn networks show what is
left when every number may be as wrong as its own range allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from metrics import (
    Bools,
    Calibration,
    Floats,
    Reliability,
    Share,
    across,
    brier,
    calibration,
    clustered_interval,
    log_loss,
    pool_bins,
    reliability,
    wilson,
    wilson_bins,
)
from noise import assemble_draw, draw_values, uncertain_numbers

from bayesdx.building.assembly import Assembly
from bayesdx.inference import Evidence, NoisyModel, no_evidence, posteriors
from bayesdx.inference.noisy.sampling import Sample, sample_cases
from bayesdx.knowledge.knowledge import Knowledge

ASKED = 0.25
EVEN_EDGES: Floats = np.linspace(0.0, 1.0, 11)
#: Ten bins of half a decade each: most of what is said of single causes is far below 10 %.
SMALL_EDGES: Floats = np.logspace(-5.0, 0.0, 11)


@dataclass(frozen=True)
class SetOfCases:
    """What came of the cases of one network.

    Attributes
    ----------
    brier, brier_priors : float
        Of the posteriors, and of saying the packaged priors of every case.
    log_loss : float
        Mean over cases and causes.
    calibration : Calibration
    said, came : float
        Mean number of causes a case, as said and as drawn.
    even, small : Reliability
    first_present, with_cause : int
        Cases in which a cause is present, and how many of them have the first-ranked one.
    """

    n: int
    brier: float
    brier_priors: float
    log_loss: float
    calibration: Calibration
    said: float
    came: float
    even: Reliability
    small: Reliability
    first_present: int
    with_cause: int


def hide(
    knowledge: Knowledge, model: NoisyModel, sample: Sample, rng: np.random.Generator
) -> Evidence:
    """Ask a quarter of the findings, each with the same chance; the risks are all known."""
    n = len(sample.causes)
    blank = no_evidence(model, n)
    known = rng.random(sample.findings.shape) < ASKED
    levels = rng.random(sample.ordinals.shape) < ASKED
    for finding in knowledge.findings.values():
        if finding.any_of and finding.id in model.findings:
            # As in the engine: a combined test says nothing more where a part of it was asked.
            parts = [model.findings.index(part) for part in finding.any_of]
            known[:, model.findings.index(finding.id)] &= ~known[:, parts].any(axis=1)
    return Evidence(
        findings=np.where(known, sample.findings, np.nan),
        lower=np.where(levels, sample.ordinals, blank.lower),
        upper=np.where(levels, sample.ordinals, blank.upper),
        risks=sample.risks,
        causes=blank.causes,
    )


def judge(said: Floats, truth: Bools, prior: Floats) -> SetOfCases:
    """Compare what was said of N cases with what is the case; arrays (N, C), prior (C,)."""
    first = said.argmax(axis=1)
    some = truth.any(axis=1)
    losses = log_loss(np.where(truth, said, 1.0 - said))
    return SetOfCases(
        n=len(said),
        brier=brier(said, truth),
        brier_priors=brier(np.broadcast_to(prior, said.shape), truth),
        log_loss=float(losses.mean()),
        calibration=calibration(said.ravel(), truth.ravel()),
        said=float(said.sum(axis=1).mean()),
        came=float(truth.sum(axis=1).mean()),
        even=reliability(said, truth, EVEN_EDGES),
        small=reliability(said, truth, SMALL_EDGES),
        first_present=int(truth[np.arange(len(said)), first][some].sum()),
        with_cause=int(some.sum()),
    )


def one_set(
    knowledge: Knowledge,
    engine: Assembly,
    world: NoisyModel,
    n_cases: int,
    rng: np.random.Generator,
) -> SetOfCases:
    """Draw cases from one network and let the engine's own network answer them."""
    model = engine.model
    names = (world.causes, world.findings, world.ordinals, world.risks)
    assert names == (model.causes, model.findings, model.ordinals, model.risks)
    sample = sample_cases(world, n_cases, rng)
    said = posteriors(model, hide(knowledge, model, sample, rng)).causes
    causes = [c for c, name in enumerate(model.causes) if name in knowledge.causes]
    priors = [knowledge.causes[model.causes[c]].prior for c in causes]
    prior = np.array([0.0 if one is None else one.value for one in priors])
    return judge(said[:, causes], sample.causes[:, causes], prior)


def simulate(
    knowledge: Knowledge,
    engine: Assembly,
    n_draws: int,
    n_cases: int,
    seed: int,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Measure calibration without and with noise in the numbers.

    Returns
    -------
    dict
        ``exact`` and ``drawn``: see `summary`; ``put_back``: how often each number was put back.
    """
    # One stream each: more draws leave the cases of the first ones as they were.
    streams = np.random.SeedSequence([seed, 1]).spawn(2 * n_draws)
    uncertain = uncertain_numbers(knowledge)
    exact, drawn, back = [], [], []
    for draw in range(n_draws):
        exact_rng, rng = (np.random.default_rng(one) for one in streams[2 * draw : 2 * draw + 2])
        exact.append(one_set(knowledge, engine, engine.model, n_cases, exact_rng))
        world = assemble_draw(knowledge, draw_values(uncertain, rng))
        back.append(world.put_back)
        drawn.append(one_set(knowledge, engine, world.assembly.model, n_cases, rng))
        say(f"simulated: draw {draw + 1} of {n_draws}")
    rng = np.random.default_rng([seed, 2])
    return {
        "draws": n_draws,
        "cases_a_draw": n_cases,
        "asked": ASKED,
        "numbers_drawn": sum(one.fit is not None for one in uncertain),
        "draws_with_numbers_put_back": sum(bool(places) for places in back),
        "put_back": _counts(back),
        "exact": summary(exact, rng, clustered=False),
        "drawn": summary(drawn, rng, clustered=True),
    }


def _counts(back: Iterable[tuple[str, ...]]) -> dict[str, int]:
    places = [place for one in back for place in one]
    return {place: places.count(place) for place in sorted(set(places))}


def summary(sets: list[SetOfCases], rng: np.random.Generator, *, clustered: bool) -> dict[str, Any]:
    """Put sets of cases together: means with 5 % and 95 % points across the sets, and bins."""
    first: Share = wilson(sum(s.first_present for s in sets), sum(s.with_cause for s in sets))
    return {
        "cases": sum(s.n for s in sets),
        "brier": across([s.brier for s in sets]),
        "brier_priors": across([s.brier_priors for s in sets]),
        "brier_skill": across([1.0 - s.brier / s.brier_priors for s in sets]),
        "log_loss": across([s.log_loss for s in sets]),
        "slope": across([s.calibration.slope for s in sets]),
        "intercept": across([s.calibration.intercept for s in sets]),
        "causes_said": across([s.said for s in sets]),
        "causes_present": across([s.came for s in sets]),
        "first_ranked_present": first,
        "reliability": _bins([s.even for s in sets], EVEN_EDGES, rng, clustered),
        "reliability_small": _bins([s.small for s in sets], SMALL_EDGES, rng, clustered),
    }


def _bins(
    parts: list[Reliability], edges: Floats, rng: np.random.Generator, clustered: bool
) -> list[dict[str, Any]]:
    pooled = pool_bins(parts)
    low, high = clustered_interval(parts, rng) if clustered else wilson_bins(pooled)
    return [
        {
            "from": float(edges[b]),
            "to": float(edges[b + 1]),
            "n": int(pooled.n[b]),
            "said": float(pooled.predicted[b]),
            "observed": int(pooled.events[b]) / int(pooled.n[b]) if pooled.n[b] else float("nan"),
            "low": float(low[b]),
            "high": float(high[b]),
        }
        for b in range(len(pooled.n))
    ]
