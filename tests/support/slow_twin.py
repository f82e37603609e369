"""The slow twin of the executors: plain loops over dictionaries, one cause and one state at a time.

`Frontier` is what `bayesdx.inference.noisy.operator` describes, without arrays: a dictionary from
one component an open axis to a number. `twin_joint` sums a case out with it, opening every axis
first and closing all of them last, so that there is no order, no plan and no padding to get wrong.
Coefficients are taken from the network's own distributions, not from the compiled model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from bayesdx.inference import Evidence, NoisyModel
from bayesdx.network import NoisyMaxCPD, NoisyOrCPD

Key = tuple[int, ...]


@dataclass
class TwinAxis:
    """One finding of a case: its start, and what each cause that is active does to it."""

    start: tuple[float, float, float, float]
    gain: dict[str, float] = field(default_factory=dict)
    keep: dict[str, float] = field(default_factory=dict)
    leak_keep: dict[str, float] = field(default_factory=dict)
    leak_gain: dict[str, float] = field(default_factory=dict)

    def moves(self, cause: str, component: int) -> list[tuple[int, float]]:
        """Where an active cause takes a component, and how much of it."""
        keep = self.keep.get(cause, 1.0)
        if component == 0:
            return [(0, 1.0), (1, self.gain.get(cause, 0.0))]
        if component == 1:
            return [(1, keep)]
        if component == 2:
            return [(2, self.leak_keep.get(cause, 1.0))]
        return [(2, self.leak_gain.get(cause, 0.0)), (3, keep)]


def act_slowly(frontier: dict[Key, float], at: int, axis: TwinAxis, cause: str) -> dict[Key, float]:
    """An active cause acts on axis ``at``."""
    after: dict[Key, float] = {}
    for key, value in frontier.items():
        for component, share in axis.moves(cause, key[at]):
            moved = (*key[:at], component, *key[at + 1 :])
            after[moved] = after.get(moved, 0.0) + share * value
    return after


def finding_axis(cpd: NoisyOrCPD, seen: float) -> TwinAxis:
    """The axis of a binary finding, whatever was seen of it: soft evidence covers it all.

    The likelihood is l1 + (l0 - l1) Q (1 - leak H).
    """
    l1, l0, leak = seen, 1.0 - seen, cpd.leak
    if l1 >= l0:
        axis = TwinAxis((1.0, l0, (l1 - l0) * leak, 0.0))
    else:
        axis = TwinAxis((1.0, l1 + (l0 - l1) * (1.0 - leak), 0.0, (l0 - l1) * leak))
    for cause, strength in zip(cpd.activators, cpd.strengths.tolist(), strict=True):
        axis.gain[cause] = l1 * strength
        axis.keep[cause] = axis.leak_keep[cause] = 1.0 - strength
    for cause, factor in zip(cpd.inhibitors, cpd.factors.tolist(), strict=True):
        axis.leak_keep[cause] = factor
        axis.leak_gain[cause] = 1.0 - factor
    return axis


def at_most(cpd: NoisyMaxCPD, level: int, active: set[str]) -> float:
    """P(an ordinal finding is at most a level | the active causes)."""
    if level < 0 or level >= len(cpd.leak):
        return float(level >= 0)
    kept = 1.0 - float(cpd.leak[level])
    for cause, strengths in zip(cpd.parents, cpd.strengths.tolist(), strict=True):
        if cause in active:
            kept *= 1.0 - strengths[level]
    return kept


def twin_joint(model: NoisyModel, evidence: Evidence, row: int) -> tuple[float, list[float]]:
    """P(evidence), and P(cause present, evidence) of each cause, of one case.

    States of all risks and of the causes of ordinal findings are tried one by one; the causes act
    on the binary findings as an operator.
    """
    total, present = 0.0, [0.0] * len(model.causes)
    for risks in _states([len(prior) for prior in model.risk_priors], evidence.risks[row]):
        weight = math.prod(
            float(prior[s]) for prior, s in zip(model.risk_priors, risks, strict=True)
        )
        if weight == 0.0:
            continue
        value, causes = _given_risks(model, evidence, row, risks)
        total += weight * value
        present = [a + weight * b for a, b in zip(present, causes, strict=True)]
    return total, present


def _states(sizes: list[int], known) -> list[Key]:
    states: list[Key] = [()]
    for size, value in zip(sizes, known.tolist(), strict=True):
        choices = range(size) if value < 0 else [value]
        states = [(*state, choice) for state in states for choice in choices]
    return states


def _given_risks(
    model: NoisyModel, evidence: Evidence, row: int, risks: Key
) -> tuple[float, list[float]]:
    axes = []
    for f, name in enumerate(model.findings):
        seen = float(evidence.findings[row, f])
        cpd = model.network.cpds[name]
        assert isinstance(cpd, NoisyOrCPD)
        if not math.isnan(seen):
            axes.append(finding_axis(cpd, seen))
    # What the active causes are is kept beside the components, for ordinals and for the answer.
    states: dict[tuple[frozenset[str], int], dict[Key, float]] = {}
    start = {(): 1.0}
    for axis in axes:
        start = {(*key, s): value * axis.start[s] for key, value in start.items() for s in range(4)}
    worlds: dict[frozenset[str], dict[Key, float]] = {frozenset(): start}
    for c, name in enumerate(model.causes):
        table = model.network.table(name)[..., 1]
        parents = model.network.parents(name)
        p = float(table[tuple(risks[model.risks.index(parent)] for parent in parents)])
        clamp = int(evidence.causes[row, c])
        after: dict[frozenset[str], dict[Key, float]] = {}
        for active, frontier in worlds.items():
            if clamp != 1 and p < 1.0:
                after[active] = {key: value * (1.0 - p) for key, value in frontier.items()}
            if clamp != 0 and p > 0.0:
                acted = {key: value * p for key, value in frontier.items()}
                for at, axis in enumerate(axes):
                    acted = act_slowly(acted, at, axis, name)
                after[active | {name}] = acted
        worlds = after
    del states
    total, present = 0.0, [0.0] * len(model.causes)
    for active, frontier in worlds.items():
        # Every finding closes with component 1 and what it owes to the leak.
        value = sum(v for key, v in frontier.items() if all(s in (1, 2) for s in key))
        for o, name in enumerate(model.ordinals):
            cpd = model.network.cpds[name]
            assert isinstance(cpd, NoisyMaxCPD)
            low, high = int(evidence.lower[row, o]), int(evidence.upper[row, o])
            value *= at_most(cpd, high, set(active)) - at_most(cpd, low - 1, set(active))
        total += value
        for c, name in enumerate(model.causes):
            present[c] += value * (name in active)
    return total, present
