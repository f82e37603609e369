"""How often people who have a dangerous cause are called at its level, in cases drawn with it.

Of each cause cases are drawn in which it is present (risks as they are in those who have it, other
causes as they come), and a share of what a person and an examiner can tell is told.
``python benchmarks/quality/missed.py`` prints, for each cause that is soon or above, the share
whose urgency stays below the cause's own. What is drawn from our own numbers tells where rules and
losses have gaps; it is no accuracy: how often a finding is present is as stated, and findings hang
together as the network says.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

import alarms
import numpy as np

import bayesdx
from bayesdx.inference.noisy.compiling import with_numbers
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.noisy.sampling import Sample, sample_cases
from bayesdx.knowledge.red_flag_schema import LEVELS

#: Share of the questions that are answered, cases a cause, seed.
ASKED, CASES, SEED = 0.6, 4096, 0
BY = ("patient", "examiner")
#: Cases among which those with the cause are chosen by how likely it was in them.
_POOL = 8


class Missed(NamedTuple):
    """How a dangerous cause is called.

    Attributes
    ----------
    cause, level : str
    below, by_rules : float
        Share of cases whose urgency is below that level; by rules alone.
    far_below : float
        Share that is two levels below, or more.
    """

    cause: str
    level: str
    below: float
    by_rules: float
    far_below: float


def with_cause(model: NoisyModel, cause: str, cases: int, rng: np.random.Generator) -> Sample:
    """Draw cases in which a cause is present."""
    at = model.causes.index(cause)
    own, tables = model.cause_tables[at], list(model.cause_tables)
    tables[at] = np.ones_like(own)
    certain = with_numbers(
        model, links=model.links, cause_tables=tuple(tables), risk_priors=model.risk_priors
    )
    pool = sample_cases(certain, _POOL * cases, rng)
    weight = np.broadcast_to(own[tuple(pool.risks[:, model.cause_parents[at]].T)], _POOL * cases)
    chosen = rng.choice(len(weight), cases, p=weight / weight.sum())
    return Sample(
        *(part[chosen] for part in (pool.risks, pool.causes, pool.findings, pool.ordinals))
    )


def missed(
    engine: bayesdx.Engine, cases: int = CASES, asked: float = ASKED, seed: int = SEED
) -> list[Missed]:
    """Return every cause that is soon or above, those first that stay below most often."""
    found = []
    for place, cause in enumerate(engine.core.causes):
        urgency = engine.knowledge.causes[cause].urgency
        if urgency not in LEVELS[:3]:
            continue
        level = LEVELS.index(urgency)
        rng = np.random.default_rng([seed, place])
        sample = with_cause(engine.core.model, cause, cases, rng)
        called = engine.core.urgency(alarms.told(engine, sample, asked, rng, BY), cases)
        shares = called.level > level, called.by_rules > level, called.level > level + 1
        found.append(Missed(cause, LEVELS[level], *(float(one.mean()) for one in shares)))
    return sorted(found, key=lambda one: (LEVELS.index(one.level), -one.below))


def rows(engine: bayesdx.Engine) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head and body of a table: causes that are urgent or above."""
    body = [
        (f"`{one.cause}`", one.level, *(f"{share:.0%}".replace("%", " %") for share in one[2:]))
        for one in missed(engine)
        if one.level in LEVELS[:2]
    ]
    return ("cause", "its level", "called lower", "by rules alone", "two levels or more"), body


def main() -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--asked", type=float, default=ASKED)
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    print(f"{'cause':28}{'level':12}{'lower':>8}{'by rules':>10}{'by two':>8}")
    for one in missed(bayesdx.load(), given.cases, given.asked, given.seed):
        print(
            f"{one.cause:28}{one.level:12}{one.below:8.3f}{one.by_rules:10.3f}{one.far_below:8.3f}"
        )


if __name__ == "__main__":
    main()
