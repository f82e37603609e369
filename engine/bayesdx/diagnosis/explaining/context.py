"""Around a cause: who produced what was found, who took the credit, what could still matter.

How the probabilities are worked out: `bayesdx.inference.noisy.attribution.credit_assignment`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from bayesdx.building.assembly import BACKGROUND
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.explaining.coalition import Observations
from bayesdx.inference.noisy.attribution.credit_assignment import (
    Assumed,
    Assumption,
    Credits,
    assume,
)
from bayesdx.inference.noisy.attribution.observations import Observation
from bayesdx.inference.noisy.model import FloatArray

#: Rivals whose absence is tried, at most, and the credit from which a cause is one.
MOST_RIVALS = 12
LEAST_CREDIT = 0.01
#: Rivals, and findings that could matter, listed for each cause.
MOST_LISTED = 5
#: Answers less probable than this are not tried: their share is lost in rounding.
LEAST_PROBABLE = 1e-9
#: Answers that change the probability of a cause by less than this do not matter to it.
LEAST_CHANGE = 1e-12

CREDIT = ("observation", "finding_label", "label", "credit")
AWAY = ("label", "posterior_without", "shift", "findings")


class FurtherAnswer(NamedTuple):
    """What a finding that is not known would do to a cause; see `Explanation.could_matter`."""

    label: str
    observed_by: str
    probability: float
    posterior_if_present: float
    posterior_if_absent: float
    shift_if_present: float
    shift_if_absent: float
    expected_change: float


def hidden_causes(core: Core) -> dict[int, int]:
    """Return the hidden cause that stands for the background of each finding that has one."""
    causes = {name: c for c, name in enumerate(core.model.causes)}
    names = ((f, BACKGROUND.format(name)) for f, name in enumerate(core.model.findings))
    return {f: causes[name] for f, name in names if name in causes}


def credit_frame(core: Core, observations: Observations, credits: Credits) -> pd.DataFrame:
    """Tabulate who produced each finding that is present, the greatest share first."""
    rows = []
    for p, part in enumerate(credits.observed):
        finding = _finding(core, part)
        of_finding = core.knowledge.findings[finding].label
        by = {core.model.causes[c]: float(x) for c, x in enumerate(credits.causes[p]) if x > 0.0}
        by["background"] = float(credits.background[p])
        for cause, credit in sorted(by.items(), key=lambda pair: -pair[1]):
            known = core.knowledge.causes.get(cause)
            label = "Background: none of the modelled causes" if known is None else known.label
            observation = _told_by(observations, part)
            rows.append((finding, cause, observation, of_finding, label, credit))
    frame = pd.DataFrame(rows, columns=["finding", "cause", *CREDIT])
    return frame.set_index(["finding", "cause"])


def _finding(core: Core, part: Observation) -> str:
    if part.findings:
        return core.model.findings[part.findings[0][0]]
    return core.model.ordinals[part.levels[0][0]]


def _told_by(observations: Observations, part: Observation) -> str:
    """Return the first observation that says what a part does."""
    for name, says in zip(observations.names, observations.says, strict=True):
        if set(part.findings) & set(says.findings) or set(part.levels) & set(says.levels):
            return name
    return ""


class Context:
    """Everything assumed beside one case, answered in one sweep, for some of its causes.

    Parameters
    ----------
    core : Core
    whole : Observation
        Everything known of the case.
    facts : mapping of str to state or None
        See `Core.facts`.
    credits : Credits
    causes : sequence of str
        The wanted ones; all of them modelled.
    """

    def __init__(
        self,
        core: Core,
        whole: Observation,
        facts: Mapping[str, str | None],
        credits: Credits,
        causes: Sequence[str],
    ) -> None:
        self._core, self._credits, self._causes = core, credits, causes
        self._at = {name: c for c, name in enumerate(core.model.causes)}
        self._rivals = _rivals(core, credits)
        self._answers = dict(_answers(core, whole, facts))
        wanted: dict[Assumption, int] = {Assumption(): 0}
        for d in self._rivals:
            wanted.setdefault(Assumption(without=(d,)), len(wanted))
        for absent, present in self._answers.values():
            for columns in (absent, *_subsets(present)):
                wanted.setdefault(Assumption(absent=columns), len(wanted))
        self._place = wanted
        self._found: Assumed = assume(
            core.model,
            whole,
            [self._at[name] for name in causes],
            list(wanted),
            partial(core.posteriors, divide=False),
        )

    def away(self) -> pd.DataFrame:
        """Tabulate what each cause would gain if a rival were absent; see `Explanation.away`."""
        rows = []
        for i, cause in enumerate(self._causes):
            base = _log_odds(self._found.on[i, 0], self._found.off[i, 0])
            shifts = []
            for d in self._rivals:
                shared = self._shared(self._at[cause], d)
                j = self._place[Assumption(without=(d,))]
                both = float(self._found.on[i, j]), float(self._found.off[i, j])
                if d == self._at[cause] or not shared or not sum(both):
                    continue
                shift = _difference(_log_odds(*both), base)
                rival = self._core.model.causes[d]
                label = self._core.knowledge.causes[rival].label
                shifts.append((cause, rival, label, both[0] / sum(both), shift, ";".join(shared)))
            shifts.sort(key=lambda row: (-round(abs(row[4]), 12), row[1]))
            rows += shifts[:MOST_LISTED]
        frame = pd.DataFrame(rows, columns=["cause", "rival", *AWAY])
        return frame.set_index(["cause", "rival"])

    def _shared(self, cause: int, rival: int) -> list[str]:
        """Findings that the rival may have produced, and that the cause can produce."""
        axes = self._core.model.axes
        shared = []
        for p, part in enumerate(self._credits.observed):
            if self._credits.causes[p, rival] < LEAST_CREDIT:
                continue
            if part.findings:
                linked = axes.gain[part.findings[0][0], cause] > 0.0
            else:
                linked = self._credits.causes[p, cause] > 0.0
            if linked:
                shared.append(_finding(self._core, part))
        return shared

    def could_matter(self) -> pd.DataFrame:
        """Tabulate what further answers would do; see `Explanation.could_matter`."""
        rows = []
        for i, cause in enumerate(self._causes):
            answers = ((name, self.answer(i, name)) for name in self._answers)
            known = [
                (name, answer)
                for name, answer in answers
                if answer is not None and answer.expected_change > LEAST_CHANGE
            ]
            known.sort(key=lambda pair: (-round(pair[1].expected_change, 12), pair[0]))
            rows += [(cause, name, *answer) for name, answer in known[:MOST_LISTED]]
        frame = pd.DataFrame(rows, columns=["cause", "finding", *FurtherAnswer._fields])
        return frame.set_index(["cause", "finding"])

    def answer(self, i: int, name: str) -> FurtherAnswer | None:
        """Say what a finding would do to the i-th cause; None if an answer is out of the question.

        Parameters
        ----------
        i : int
        name : str
            A finding that is not known.
        """
        absent, present = self._answers[name]
        weights = np.stack([self._found.on[i], self._found.off[i]])
        without = weights[:, self._place[Assumption(absent=absent)]]
        having = np.zeros(2)
        for subset in _subsets(present):
            sign = -1.0 if len(subset) % 2 else 1.0
            having += sign * weights[:, self._place[Assumption(absent=subset)]]
        having = np.maximum(having, 0.0)
        likely = float(having.sum()), float(without.sum())
        if min(likely) < LEAST_PROBABLE:
            return None
        now, base = float(weights[0, 0]), _log_odds(float(weights[0, 0]), float(weights[1, 0]))
        after = float(having[0]) / likely[0], float(without[0]) / likely[1]
        shifts = [_difference(_log_odds(float(x[0]), float(x[1])), base) for x in (having, without)]
        finding = self._core.knowledge.findings[name]
        return FurtherAnswer(
            label=finding.label,
            observed_by=finding.observed_by,
            probability=likely[0] / sum(likely),
            posterior_if_present=after[0],
            posterior_if_absent=after[1],
            shift_if_present=shifts[0],
            shift_if_absent=shifts[1],
            expected_change=likely[0] * abs(after[0] - now) + likely[1] * abs(after[1] - now),
        )


def _rivals(core: Core, credits: Credits) -> tuple[int, ...]:
    """Causes that took the most credit, the most first."""
    modelled = set(core.modelled.tolist())
    largest = credits.causes.max(axis=0, initial=0.0)
    total = credits.causes.sum(axis=0)
    found = [c for c in range(len(total)) if c in modelled and largest[c] >= LEAST_CREDIT]
    return tuple(sorted(found, key=lambda c: (-round(float(total[c]), 12), c))[:MOST_RIVALS])


def _subsets(columns: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    for size in range(len(columns) + 1):
        yield from combinations(columns, size)


def _answers(
    core: Core, whole: Observation, facts: Mapping[str, str | None]
) -> Iterator[tuple[str, tuple[tuple[int, ...], tuple[int, ...]]]]:
    """Yield findings not known, with what is absent if they are, and present if they are."""
    findings = core.knowledge.findings
    columns = _columns(core, whole)
    implied_by: dict[str, list[str]] = {}
    for name, finding in findings.items():
        for wide in finding.implies:
            implied_by.setdefault(wide, []).append(name)
    for name, finding in findings.items():
        if name not in columns or facts.get(name) is not None:
            continue
        if any(facts.get(part) is not None for part in finding.any_of):
            continue  # told by its components, and no evidence of its own beside them
        absent, present = {columns[name]}, {columns[name]}
        if finding.threshold_of is None:
            # What the reader of cases would conclude from the answer.
            absent |= {columns[one] for one in implied_by.get(name, ()) if one in columns}
            present |= {columns[one] for one in finding.implies if one in columns}
        yield name, (tuple(sorted(absent)), tuple(sorted(present)))


def _columns(core: Core, whole: Observation) -> dict[str, int]:
    """Column of `NoisyModel.log_absent` of each finding that the case says nothing of."""
    model = core.model
    told = {f for f, _ in whole.findings}
    columns = {name: f for f, name in enumerate(model.findings) if f not in told}
    limited = {o for o, _, _ in whole.levels}
    for finding in core.knowledge.findings.values():
        if finding.threshold_of is None or finding.threshold_of not in model.ordinals:
            continue
        o = model.ordinals.index(finding.threshold_of)
        if o not in limited:
            states = core.knowledge.findings[finding.threshold_of].states
            level = states.index(finding.at_least or "") - 1
            columns[finding.id] = len(model.findings) + model.level_offset[o] + level
    return columns


def _log_odds(on: float, off: float) -> float:
    with np.errstate(divide="ignore"):
        return float(np.log(on) - np.log(off))


def _difference(after: float, before: float) -> float:
    """Difference of log-odds; 0 between equal infinities."""
    return 0.0 if after == before else after - before


def posterior_of(log_odds: FloatArray) -> FloatArray:
    """Return probabilities of log-odds, infinities included."""
    with np.errstate(over="ignore"):
        result: FloatArray = 1.0 / (1.0 + np.exp(-log_odds))
    return result
