"""Knowledge with every number drawn from what its range says about it, assembled anew.

The distributions are those of `bayesdx.building.number_draws`; here a draw is put into
the knowledge number by number and its network is built in full, slowly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from bayesdx.building.assembly import Assembly, assemble
from bayesdx.building.number_draws import EDGE, Uncertain, uncertain_numbers
from bayesdx.errors import BayesdxError, InvalidKnowledge
from bayesdx.knowledge.addresses import PlacedNumber
from bayesdx.knowledge.conditioning import conditional_prior, own_risks
from bayesdx.knowledge.distributions import BetaFit, LogNormalFit
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.schema import Cause, Finding, Risk

__all__ = ["Draw", "Uncertain", "assemble_draw", "draw_values", "uncertain_numbers"]

Value = float | tuple[float, ...]
_Test = Callable[[Mapping[str, Value]], bool]


@dataclass(frozen=True)
class Draw:
    """One drawn knowledge, assembled.

    Attributes
    ----------
    assembly : Assembly
    put_back : tuple of str
        Places of numbers whose drawn value could not hold and that have their stated value.
    """

    assembly: Assembly
    put_back: tuple[str, ...]


def draw_values(
    uncertain: Iterable[Uncertain], rng: np.random.Generator
) -> dict[str, tuple[PlacedNumber, Value]]:
    """Draw every number once; by place."""
    return {one.number.place: (one.number, _drawn(one, rng)) for one in uncertain}


def _drawn(one: Uncertain, rng: np.random.Generator) -> Value:
    if one.fit is None:
        return one.number.value
    if isinstance(one.fit, LogNormalFit):
        return float(np.exp(rng.normal(one.fit.mean, one.fit.deviation)))
    if isinstance(one.fit, BetaFit):
        return float(np.clip(rng.beta(one.fit.a, one.fit.b), EDGE, 1.0 - EDGE))
    shares = np.maximum(rng.dirichlet(one.fit), EDGE)
    return tuple((shares / shares.sum()).tolist())


def assemble_draw(knowledge: Knowledge, drawn: Mapping[str, tuple[PlacedNumber, Value]]) -> Draw:
    """Build the network of drawn numbers; what cannot hold gets its stated value back."""
    values = {place: value for place, (_, value) in drawn.items()}
    placed = _Placed({place: number for place, (number, _) in drawn.items()})
    back = placed.made_possible(knowledge, values)
    try:
        return Draw(assemble(placed.knowledge(knowledge, values)), tuple(back))
    except BayesdxError:
        back += placed.put_back(_of_conditioned_findings(knowledge, placed), values)
        return Draw(assemble(placed.knowledge(knowledge, values)), tuple(back))


def _of_conditioned_findings(knowledge: Knowledge, placed: _Placed) -> list[str]:
    places = []
    for finding in knowledge.findings.values():
        if finding.background_effects:
            places += placed.of_finding(finding)
    return places


class _Placed:
    """Where the numbers are, and knowledge with other values in these places."""

    def __init__(self, numbers: Mapping[str, PlacedNumber]) -> None:
        self._numbers = numbers
        self._of: dict[tuple[str, str], list[str]] = {}
        for place, number in numbers.items():
            self._of.setdefault((number.kind, number.owner), []).append(place)

    def places(self, kind: str, owner: str) -> list[str]:
        return self._of.get((kind, owner), [])

    def of_finding(self, finding: Finding) -> list[str]:
        """Places of a finding's background, its effects, and the risks that these name."""
        found = self.places("background_effect", finding.id) + self.places("background", finding.id)
        risks = dict.fromkeys(name for one in finding.background_effects for name in one.when)
        return found + [place for risk in risks for place in self.places("prevalence", risk)]

    def put_back(self, places: Iterable[str], values: dict[str, Value]) -> list[str]:
        """Give numbers their stated value; return those that had another one."""
        changed = [place for place in places if values[place] != self._numbers[place].value]
        for place in changed:
            values[place] = self._numbers[place].value
        return changed

    def made_possible(self, knowledge: Knowledge, values: dict[str, Value]) -> list[str]:
        """Put back what keeps a cause's prior or a finding's background from holding."""
        back: list[str] = []
        while True:
            before = len(back)
            for cause in knowledge.causes.values():
                if cause.kind == "cause":
                    back += self._mend_cause(cause, knowledge, values)
            for finding in knowledge.findings.values():
                if finding.background_effects:
                    back += self._mend_finding(finding, knowledge, values)
            # A risk that was put back may have spoilt a cause that was looked at before it.
            if len(back) == before:
                return back

    def _mend_cause(
        self, cause: Cause, knowledge: Knowledge, values: dict[str, Value]
    ) -> list[str]:
        def holds(trial: Mapping[str, Value]) -> bool:
            risks = {name: self._risk(knowledge.risks[name], trial) for name in own}
            try:
                conditional_prior(self._cause(cause, trial), risks)
            except InvalidKnowledge:
                return False
            return True

        own = own_risks(cause, knowledge.risks)
        suspects = self.places("prior", cause.id) + self.places("effect", cause.id)
        suspects += [place for name in own for place in self.places("prevalence", name)]
        return self._mend(suspects, values, holds)

    def _mend_finding(
        self, finding: Finding, knowledge: Knowledge, values: dict[str, Value]
    ) -> list[str]:
        def holds(trial: Mapping[str, Value]) -> bool:
            risks = {name: self._risk(risk, trial) for name, risk in knowledge.risks.items()}
            return background_holds(self._finding(finding, trial), risks)

        return self._mend(self.of_finding(finding), values, holds)

    def _mend(self, suspects: list[str], values: dict[str, Value], holds: _Test) -> list[str]:
        """Put back the first number that is enough by itself; failing that, one after the other."""
        if holds(values):
            return []
        for place in suspects:
            if holds(values | {place: self._numbers[place].value}):
                return self.put_back([place], values)
        back: list[str] = []
        for place in suspects:
            back += self.put_back([place], values)
            if holds(values):
                break
        return back

    def knowledge(self, knowledge: Knowledge, values: Mapping[str, Value]) -> Knowledge:
        """Return the knowledge with these values."""
        return knowledge.model_copy(
            update={
                "causes": {n: self._cause(c, values) for n, c in knowledge.causes.items()},
                "findings": {n: self._finding(f, values) for n, f in knowledge.findings.items()},
                "risks": {n: self._risk(r, values) for n, r in knowledge.risks.items()},
            }
        )

    def _cause(self, cause: Cause, values: Mapping[str, Value]) -> Cause:
        effects = zip(cause.effects, self.places("effect", cause.id), strict=True)
        links = zip(cause.links.items(), self.places("link", cause.id), strict=True)
        update: dict[str, object] = {
            "effects": tuple(e.model_copy(update={"value": values[p]}) for e, p in effects),
            "links": type(cause.links)(
                {n: k.model_copy(update={"probability": values[p]}) for (n, k), p in links}
            ),
        }
        if cause.prior is not None:
            (place,) = self.places("prior", cause.id)
            update["prior"] = cause.prior.model_copy(update={"value": values[place]})
        return cause.model_copy(update=update)

    def _finding(self, finding: Finding, values: Mapping[str, Value]) -> Finding:
        if finding.background is None:
            return finding
        (place,) = self.places("background", finding.id)
        left = iter(self.places("background_effect", finding.id))
        effects = tuple(
            effect.model_copy(update={"value": values[next(left)]})
            if effect.measure == "probability" and effect.value is not None
            else effect
            for effect in finding.background_effects
        )
        background = finding.background.model_copy(update={"value": values[place]})
        return finding.model_copy(update={"background": background, "background_effects": effects})

    def _risk(self, risk: Risk, values: Mapping[str, Value]) -> Risk:
        (place,) = self.places("prevalence", risk.id)
        prevalence = risk.prevalence.model_copy(update={"value": values[place]})
        return risk.model_copy(update={"prevalence": prevalence})


def background_holds(finding: Finding, risks: Mapping[str, Risk]) -> bool:
    """Whether the background elsewhere is a probability, and at most that where the risks hold."""
    assert finding.background is not None
    for effect in finding.background_effects:
        weight = 1.0
        for name, states in effect.when.items():
            shares = zip(risks[name].states, risks[name].probabilities, strict=True)
            weight *= sum(share for state, share in shares if state in states)
        mean = finding.background.value
        if effect.measure != "probability":
            if mean >= weight:
                return False
            continue
        assert effect.value is not None
        elsewhere = (mean - weight * effect.value) / (1.0 - weight)
        if not 0.0 < elsewhere <= effect.value:
            return False
    return True
