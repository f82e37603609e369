"""Who alarms in ordinary people: urgency in cases drawn from R, by rule and by cause.

Every case is drawn from the packaged network and answers a share of the questions that a person can
answer (no examiner, no laboratory). ``python benchmarks/quality/alarms.py`` prints the shares of
levels, and each rule and each dangerous cause with the share of cases that it calls, and that it
alone calls at that level: what is gained by leaving it out.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

import bayesdx
from bayesdx.diagnosis.urgency import Urgency
from bayesdx.inference.noisy.sampling import Sample, sample_cases
from bayesdx.knowledge.red_flag_schema import LEVELS

#: Share of the patient's questions that are answered, cases, seed.
ASKED, CASES, SEED = 0.8, 1 << 16, 0


@dataclass(frozen=True)
class Alarm:
    """A rule or a dangerous cause in N cases.

    Attributes
    ----------
    name, level : str
    called, alone : float
        Share of cases that it calls; that would be at a lower level without it.
    """

    name: str
    level: str
    called: float
    alone: float


def answered(
    engine: bayesdx.Engine, cases: int = CASES, asked: float = ASKED, seed: int = SEED
) -> dict[str, np.ndarray]:
    """What people of R say: states by finding and risk, (N,) each, -1 not known."""
    rng = np.random.default_rng([seed, 6])
    return told(engine, sample_cases(engine.core.model, cases, rng), asked, rng)


def told(
    engine: bayesdx.Engine,
    sample: Sample,
    asked: float,
    rng: np.random.Generator,
    by: Collection[str] = ("patient",),
) -> dict[str, np.ndarray]:
    """Tell a share of what can be observed ``by`` some; findings that follow are told, too."""
    core, knowledge = engine.core, engine.knowledge
    model, cases = core.model, len(sample.causes)
    drawn = dict(zip(model.risks, sample.risks.T, strict=True))
    drawn |= dict(zip(model.findings, sample.findings.T, strict=True))
    drawn |= dict(zip(model.ordinals, sample.ordinals.T, strict=True))
    things = {**knowledge.risks, **knowledge.findings}
    facts = {}
    for name, states in drawn.items():
        known = rng.random(cases) < asked
        if things[name].observed_by in by:
            facts[name] = np.where(known, states, -1).astype(np.int8)
    for name, finding in knowledge.findings.items():
        level = finding.threshold_of
        if level in facts:
            reached = facts[level] >= core.states[level].index(finding.at_least or "")
            facts[name] = np.where(facts[level] < 0, -1, reached).astype(np.int8)
    for name, finding in knowledge.findings.items():
        for wider in finding.implies:
            if name in facts and wider in facts:
                facts[wider] = np.where(facts[name] == 1, 1, facts[wider]).astype(np.int8)
    return facts


def rows(engine: bayesdx.Engine, most: int = 12) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head and body of a table: the levels, then who calls most emergencies and urgent cases."""
    found = engine.core.urgency(answered(engine), CASES)
    body = [
        (f"{name} or above", "", _percent((found.level <= at).mean()), _percent(by_rules))
        for at, name in enumerate(LEVELS[:3])
        for by_rules in [(found.by_rules <= at).mean()]
    ]
    pressing = [one for one in alarms(engine, found) if one.level in LEVELS[:2]]
    first = sorted(pressing, key=lambda one: -one.alone)[:most]
    body += [(f"`{o.name}`", o.level, _percent(o.called), _percent(o.alone)) for o in first]
    return ("what", "level", "cases", "by rules alone; without it lower"), body


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def alarms(engine: bayesdx.Engine, found: Urgency) -> list[Alarm]:
    """Each rule and each dangerous cause, those that call most alone first."""
    core = engine.core
    names = [*(rule.id for rule in core.rules.every), *core.triage.causes]
    levels = np.array([*core.rules.levels, *core.triage.levels])
    called = np.concatenate([found.fired, found.calls], axis=1)
    most = np.where(called, levels, len(LEVELS))
    first = np.sort(most, axis=1)[:, :2]
    alone = (most == first[:, :1]) & (first[:, :1] < first[:, 1:]) & called
    every = [
        Alarm(name, LEVELS[level], float(share), float(own))
        for name, level, share, own in zip(
            names, levels, called.mean(axis=0), alone.mean(axis=0), strict=True
        )
    ]
    return sorted(every, key=lambda one: (LEVELS.index(one.level), -one.alone, -one.called))


def main(arguments: list[str] | None = None) -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--asked", type=float, default=ASKED)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(arguments)
    engine = bayesdx.load()
    facts = answered(engine, options.cases, options.asked, options.seed)
    found = engine.core.urgency(facts, options.cases)
    for at, name in enumerate(LEVELS):
        share, rules = ((levels <= at).mean() for levels in (found.level, found.by_rules))
        print(f"{name} or above: {share:.3f}, by rules alone {rules:.3f}")
    print(f"\n{'rule or cause':32}{'level':12}{'calls':>8}{'alone':>8}")
    for one in alarms(engine, found):
        print(f"{one.name:32}{one.level:12}{one.called:8.4f}{one.alone:8.4f}")


if __name__ == "__main__":
    main()
