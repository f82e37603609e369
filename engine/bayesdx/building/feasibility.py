"""Sets of drawn numbers that contradict each other get some stated values back.

A drawn relative risk may ask for a probability above 1, a drawn prior for more people than the
requirement of its cause leaves. Of the numbers that are involved the first whose stated value is
enough by itself is put back; failing that, one after the other is. How often that happens is
reported, so that a number whose range cannot hold does not stay unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bayesdx.building.drawn_tables import (
    DrawnTable,
    drawn_extra,
    drawn_prior,
    effect_places,
    risk_shares,
)
from bayesdx.inference.noisy.model import BoolArray, FloatArray, IntArray
from bayesdx.knowledge import Cause, Finding, Knowledge
from bayesdx.knowledge.conditioning import own_risks
from bayesdx.knowledge.draft import cause_file

Values = Mapping[str, FloatArray]


@dataclass(frozen=True, eq=False)
class UpperLayers:
    """Risks and causes under D sets of numbers.

    Attributes
    ----------
    values : mapping of place to array (D,) or (S, D)
        What holds together.
    put_back : mapping of place to bool array (D,)
        Where a number has its stated value because its drawn one could not hold; places without
        such a draw are left out.
    shares : mapping of risk to array (S, D)
    causes : mapping of cause to DrawnTable
    extras : mapping of finding to DrawnTable
        Hidden background causes.
    """

    values: Values
    put_back: Mapping[str, BoolArray]
    shares: Mapping[str, FloatArray]
    causes: Mapping[str, DrawnTable]
    extras: Mapping[str, DrawnTable]


def upper_layers(knowledge: Knowledge, values: Values, stated: Values) -> UpperLayers:
    """Build the tables of all causes, putting numbers back until every draw holds together.

    Parameters
    ----------
    knowledge : Knowledge
    values : mapping of place to array (D,) or (S, D)
    stated : mapping of place to array (1,) or (S, 1)
        The stated values.

    Returns
    -------
    UpperLayers
    """
    mender = _Mender(knowledge, dict(values), stated)
    causes = [one for one in knowledge.causes.values() if one.kind == "cause"]
    findings = [one for one in knowledge.findings.values() if one.background_effects]
    while True:
        # A risk that was put back may have spoilt a cause that was looked at before it.
        changed = [
            mender.mend(mender.suspects(cause), _of_cause(mender, cause)) for cause in causes
        ]
        changed += [
            mender.mend(mender.suspects_of(one), _of_finding(mender, one)) for one in findings
        ]
        if not any(changed):
            break
    tables = {one.id: mender.cause_table(one, mender.values) for one in causes}
    extras = {one.id: mender.extra(one, mender.values) for one in findings}
    return UpperLayers(mender.values, mender.put_back, mender.shares(mender.values), tables, extras)


_Table = Callable[[Values], DrawnTable]


def _of_cause(mender: _Mender, cause: Cause) -> _Table:
    return lambda values: mender.cause_table(cause, values)


def _of_finding(mender: _Mender, finding: Finding) -> _Table:
    return lambda values: mender.extra(finding, values)


class _Mender:
    """Values that are being put right."""

    def __init__(self, knowledge: Knowledge, values: dict[str, FloatArray], stated: Values) -> None:
        self.knowledge = knowledge
        self.values = values
        self.put_back: dict[str, BoolArray] = {}
        self._stated = stated
        self._draws = max((value.shape[-1] for value in values.values()), default=0)

    def shares(self, values: Values) -> dict[str, FloatArray]:
        risks = self.knowledge.risks
        return {name: risk_shares(values[_prevalence(name)]) for name in risks}

    def cause_table(self, cause: Cause, values: Values) -> DrawnTable:
        risks = self.knowledge.risks
        shares = {name: risk_shares(values[_prevalence(name)]) for name in own_risks(cause, risks)}
        effects = [values[place] for place in effect_places(cause)]
        return drawn_prior(cause, risks, shares, values[_prior(cause)], effects)

    def extra(self, finding: Finding, values: Values) -> DrawnTable:
        causes = self.knowledge.causes.values()
        linked = [one for one in causes if one.kind == "cause" and finding.id in one.links]
        tables = [(self.cause_table(one, values), values[_prior(one)]) for one in linked]
        effect = values.get(f"findings.toml:{finding.id}.background_effects[0]")
        background = values[f"findings.toml:{finding.id}.background"]
        shares = self.shares(values)
        return drawn_extra(finding, self.knowledge.risks, shares, background, effect, tables)

    def suspects(self, cause: Cause) -> list[str]:
        risks = own_risks(cause, self.knowledge.risks)
        return [_prior(cause), *effect_places(cause), *map(_prevalence, risks)]

    def suspects_of(self, finding: Finding) -> list[str]:
        place = f"findings.toml:{finding.id}."
        own = [place + "background_effects[0]", place + "background"]
        risks = dict.fromkeys(name for one in finding.background_effects for name in one.when)
        return [one for one in own if one in self.values] + [_prevalence(name) for name in risks]

    def mend(self, suspects: Sequence[str], table: _Table) -> bool:
        """Put back what is enough; return whether anything was."""
        bad = np.flatnonzero(~table(self.values).holds)
        if not len(bad):
            return False
        left = bad
        for place in suspects:
            trial = self._at(left)
            trial[place] = self._back(place, len(left))
            enough = table(trial).holds
            self._put(place, left[enough])
            left = left[~enough]
            if not len(left):
                return True
        for place in suspects:
            self._put(place, left)
            left = left[~table(self._at(left)).holds]
            if not len(left):
                break
        return True

    def _at(self, draws: IntArray) -> dict[str, FloatArray]:
        return {place: value[..., draws] for place, value in self.values.items()}

    def _back(self, place: str, count: int) -> FloatArray:
        return np.repeat(self._stated[place], count, axis=-1)

    def _put(self, place: str, draws: IntArray) -> None:
        new = self.values[place].copy()
        new[..., draws] = self._back(place, len(draws))
        self.values[place] = new
        if len(draws):
            marks = self.put_back.setdefault(place, np.zeros(self._draws, dtype=bool))
            marks[draws] = True


def _prior(cause: Cause) -> str:
    return f"{cause_file(cause.id)}:prior"


def _prevalence(risk: str) -> str:
    return f"risks.toml:{risk}.prevalence"
