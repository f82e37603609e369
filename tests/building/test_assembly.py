"""The network gives back what the knowledge states, or says where and by how much it does not."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest

from bayesdx.building.assembly import Assembly, assemble
from bayesdx.inference import Evidence, NoisyModel, no_evidence, posteriors
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.schema import Finding
from bayesdx.network import AnyOfCPD, NoisyMaxCPD, NoisyOrCPD

STATED = 1e-9
LINKED = 1e-8


class Question:
    """Collects cases and answers them in one go: P(what is known) of each."""

    def __init__(self, knowledge: Knowledge, model: NoisyModel) -> None:
        self._knowledge, self._model = knowledge, model
        self._cases: list[tuple[dict[str, int], dict[str, str], tuple[str, ...]]] = []

    def add(
        self,
        causes: Mapping[str, int] | None = None,
        risks: Mapping[str, str] | None = None,
        events: tuple[str, ...] = (),
    ) -> None:
        self._cases.append((dict(causes or {}), dict(risks or {}), events))

    def log(self) -> np.ndarray:
        return posteriors(self._model, self._evidence()).log_evidence

    def probabilities(self) -> np.ndarray:
        return np.exp(self.log())

    def causes(self) -> np.ndarray:
        return posteriors(self._model, self._evidence()).causes

    def _evidence(self) -> Evidence:
        model, known = self._model, self._knowledge
        evidence = no_evidence(model, len(self._cases))
        for row, (causes, risks, events) in enumerate(self._cases):
            for name, present in causes.items():
                evidence.causes[row, model.causes.index(name)] = present
            for name, state in risks.items():
                position = known.risks[name].states.index(state)
                evidence.risks[row, model.risks.index(name)] = position
            for name in events:
                finding = known.findings[name]
                if finding.kind == "binary":
                    evidence.findings[row, model.findings.index(name)] = 1.0
                else:
                    ordinal = known.findings[finding.threshold_of or ""]
                    level = ordinal.states.index(finding.at_least or "")
                    evidence.lower[row, model.ordinals.index(ordinal.id)] = level
        return evidence


@dataclass(frozen=True)
class Rates:
    """P(event | cause present) and P(event | cause absent) of every stated link."""

    present: dict[tuple[str, str], float]
    absent: dict[tuple[str, str], float]


@pytest.fixture(scope="module")
def rates(real_knowledge: Knowledge, real_assembly: Assembly) -> Rates:
    """Asked of the engine by clamping, not taken from the account that the assembly gives."""
    pairs = [(e, c) for c in _causes(real_knowledge) for e in real_knowledge.causes[c].links]
    both, alone = (Question(real_knowledge, real_assembly.model) for _ in range(2))
    for (event, cause), state in itertools.product(pairs, (1, 0)):
        both.add(causes={cause: state}, events=(event,))
        alone.add(causes={cause: state})
    values = np.exp(both.log() - alone.log()).tolist()
    return Rates(
        dict(zip(pairs, values[::2], strict=True)), dict(zip(pairs, values[1::2], strict=True))
    )


def _causes(knowledge: Knowledge) -> list[str]:
    return [name for name, cause in knowledge.causes.items() if cause.kind == "cause"]


def test_every_stated_prior_is_given_back(
    real_knowledge: Knowledge, real_assembly: Assembly
) -> None:
    model = real_assembly.model
    answer = posteriors(model, no_evidence(model, 1))
    assert answer.log_evidence[0] == pytest.approx(0.0, abs=1e-12)
    got = dict(zip(model.causes, answer.causes[0].tolist(), strict=True))
    for name in _causes(real_knowledge):
        prior = real_knowledge.causes[name].prior
        assert prior is not None
        assert got[name] == pytest.approx(prior.value, rel=0, abs=STATED), name


def test_every_prevalence_is_given_back(real_knowledge: Knowledge, real_assembly: Assembly) -> None:
    states = [(r.id, s) for r in real_knowledge.risks.values() for s in r.states]
    question = Question(real_knowledge, real_assembly.model)
    for risk, state in states:
        question.add(risks={risk: state})
    got = dict(zip(states, question.probabilities().tolist(), strict=True))
    assert got["anatomical_variant", "present"] == pytest.approx(0.15, rel=0, abs=STATED)
    for risk in real_knowledge.risks.values():
        shares = [got[risk.id, state] for state in risk.states]
        np.testing.assert_allclose(shares, risk.probabilities, rtol=0, atol=STATED)


def test_a_cause_without_what_it_requires_cannot_be(
    real_knowledge: Knowledge, real_assembly: Assembly
) -> None:
    """Probability 0 exactly, and its presence is impossible evidence."""
    excluded = [
        (name, condition.risk, state)
        for name in _causes(real_knowledge)
        for condition in real_knowledge.causes[name].requires
        for state in real_knowledge.risks[condition.risk].states
        if state not in condition.states
    ]
    assert ("nms", "antipsychotic_use", "absent") in excluded
    assert ("endometriosis", "sex", "male") in excluded
    without, against = (Question(real_knowledge, real_assembly.model) for _ in range(2))
    for name, risk, state in excluded:
        without.add(risks={risk: state})
        against.add(causes={name: 1}, risks={risk: state})
    causes = without.causes()
    for row, (name, _, _) in enumerate(excluded):
        assert causes[row, real_assembly.model.causes.index(name)] == 0.0
    assert np.isneginf(against.log()).all()


def test_where_all_requirements_hold_the_cause_can_be(
    real_knowledge: Knowledge, real_assembly: Assembly
) -> None:
    names = [name for name in _causes(real_knowledge) if real_knowledge.causes[name].requires]
    question = Question(real_knowledge, real_assembly.model)
    for name in names:
        question.add(risks={c.risk: c.states[0] for c in real_knowledge.causes[name].requires})
    causes = question.causes()
    for row, name in enumerate(names):
        prior = real_knowledge.causes[name].prior
        assert prior is not None
        assert causes[row, real_assembly.model.causes.index(name)] > prior.value


def test_every_background_is_given_back_or_told_to_be_over_explained(
    real_knowledge: Knowledge, real_assembly: Assembly, rates: Rates
) -> None:
    events = [f for f in real_knowledge.findings.values() if f.has_probability]
    assert list(real_assembly.fits) == [event.id for event in events]
    for event in events:
        fit = real_assembly.fits[event.id]
        assert event.background is not None
        assert fit.background == event.background.value
        linked = [c for c in _causes(real_knowledge) if event.id in real_knowledge.causes[c].links]
        if linked:
            priors = [real_knowledge.causes[c].prior for c in linked]
            weights = [prior.value for prior in priors if prior is not None]
            mean = np.average([rates.absent[event.id, c] for c in linked], weights=weights)
            assert fit.modelled == pytest.approx(mean, rel=0, abs=STATED), event.id
        if fit.over_explained:
            assert fit.modelled > fit.background
            floor = _smallest_leak(real_knowledge, real_assembly, event)
            assert fit.leak == pytest.approx(floor, rel=1e-9), "nothing is left to take away"
        else:
            assert fit.modelled == pytest.approx(fit.background, rel=0, abs=STATED), event.id


def _smallest_leak(knowledge: Knowledge, assembly: Assembly, event: Finding) -> float:
    """A share of the background; a level has more than the next one by that of what is between."""
    assert event.background is not None
    share, least = knowledge.model.leak_floor, 0.0
    if event.threshold_of is not None:
        names = assembly.links.layout.thresholds[event.threshold_of]
        if event.id != names[-1]:
            above = assembly.fits[names[names.index(event.id) + 1]]
            least = above.leak + share * (event.background.value - above.background)
    return max(share * event.background.value, least)


def test_a_finding_without_causes_has_its_background(
    real_knowledge: Knowledge, real_assembly: Assembly
) -> None:
    linked = {event for c in _causes(real_knowledge) for event in real_knowledge.causes[c].links}
    alone = [name for name in real_assembly.fits if name not in linked]
    question = Question(real_knowledge, real_assembly.model)
    for name in alone:
        question.add(events=(name,))
    stated = [real_assembly.fits[name].background for name in alone]
    np.testing.assert_allclose(question.probabilities(), stated, rtol=0, atol=STATED)


def test_few_findings_are_over_explained(real_assembly: Assembly) -> None:
    over = [fit for fit in real_assembly.fits.values() if fit.over_explained]
    assert len(over) <= 0.1 * len(real_assembly.fits)
    assert all(fit.modelled < 1.5 * fit.background for fit in over)


def test_every_link_is_given_back_or_explained(
    real_knowledge: Knowledge, real_assembly: Assembly, rates: Rates
) -> None:
    unexplained, floor = [], real_knowledge.model.leak_floor
    for event, fit in real_assembly.fits.items():
        told = {cause: (stated, modelled) for cause, stated, modelled in fit.links}
        for cause, (stated, modelled) in told.items():
            link = real_knowledge.causes[cause].links[event]
            assert link.parameterisation == "in_population"
            assert stated == link.probability
            right = rates.present[event, cause]
            assert modelled == pytest.approx(right, rel=0, abs=STATED), (event, cause)
            if abs(right - stated) > LINKED and not (
                fit.over_explained
                or _inhibits_all_it_may(real_assembly, event, cause, floor * stated)
            ):
                unexplained.append((event, cause, stated, right))
            # What the network cannot say is only ever too much: other causes are there, too.
            assert right > stated - LINKED
        assert set(told) == {c for c in _causes(real_knowledge) if (event, c) in rates.present}
    assert unexplained == []


def _inhibits_all_it_may(assembly: Assembly, event: str, cause: str, least: float) -> bool:
    """The cause leaves no more of the leak than it must; the rest comes from other causes."""
    cpd = assembly.network.cpds.get(event)
    if not isinstance(cpd, NoisyOrCPD) or cause not in cpd.inhibitors:
        return False
    left = cpd.leak * cpd.factors[cpd.inhibitors.index(cause)]
    return bool(left == pytest.approx(least, rel=1e-9))


def test_no_statement_above_0_makes_a_finding_impossible(
    real_knowledge: Knowledge, real_assembly: Assembly
) -> None:
    """Each cause by itself leaves every finding that it speaks of possible, and every level."""
    causes, floor = _causes(real_knowledge), real_knowledge.model.leak_floor
    question, least = Question(real_knowledge, real_assembly.model), []
    for cause in causes:
        for event, link in real_knowledge.causes[cause].links.items():
            if real_assembly.fits[event].leak > 0.0:
                only = dict.fromkeys(causes, 0) | {cause: 1}
                question.add(causes=only, events=(event,))
                question.add(causes=only)
                least.append(min(floor * link.probability, real_assembly.fits[event].leak))
    log = question.log()
    found = np.exp(log[::2] - log[1::2])
    assert len(found) > 1000
    assert (found >= np.array(least) * (1.0 - 1e-9)).all()
    assert found.min() > 0.0


def test_every_level_of_an_ordinal_finding_is_possible(
    real_knowledge: Knowledge, real_assembly: Assembly
) -> None:
    share, seen = real_knowledge.model.leak_floor, 0
    for names in real_assembly.links.layout.thresholds.values():
        fits = [real_assembly.fits[name] for name in names]
        for low, high in itertools.pairwise(fits):
            stated = low.background - high.background
            assert low.leak - high.leak >= share * stated * (1.0 - 1e-9) > 0.0
            seen += 1
    assert seen > 10


def test_most_links_are_given_back(rates: Rates, real_knowledge: Knowledge) -> None:
    missed = [
        pair
        for pair, got in rates.present.items()
        if abs(got - real_knowledge.causes[pair[1]].links[pair[0]].probability) > LINKED
    ]
    assert len(missed) <= 0.1 * len(rates.present)


def test_no_leak_is_negative_and_only_what_risks_rule_out_has_none(
    real_knowledge: Knowledge, real_assembly: Assembly
) -> None:
    for name, fit in real_assembly.fits.items():
        effects = real_knowledge.findings[name].background_effects
        if any(effect.measure == "zero_otherwise" for effect in effects):
            assert fit.leak == 0.0
        else:
            assert fit.leak >= real_knowledge.model.leak_floor * fit.background > 0.0
    for cpd in real_assembly.network.cpds.values():
        if isinstance(cpd, NoisyOrCPD | NoisyMaxCPD):
            assert np.min(cpd.leak) >= 0.0


def test_cyclic_pain_needs_a_cycle(real_knowledge: Knowledge, real_assembly: Assembly) -> None:
    question = Question(real_knowledge, real_assembly.model)
    event = ("menstrual_cyclic",)
    question.add(risks={"sex": "male"}, events=event)
    question.add(risks={"age": "60_to_64"}, events=event)
    question.add(risks={"sex": "female", "age": "40_to_49"}, events=event)
    male, old, young = question.probabilities()
    assert male == 0.0
    assert old == 0.0
    assert young > 0.0


def test_cramps_of_the_old_are_as_frequent_as_the_survey_found(
    real_knowledge: Knowledge, real_assembly: Assembly
) -> None:
    """The effect of age on the background is met within its range, the overall one exactly."""
    (effect,) = real_knowledge.findings["night_cramps"].background_effects
    assert effect.range is not None
    both, alone = (Question(real_knowledge, real_assembly.model) for _ in range(2))
    for state in real_knowledge.risks["age"].states:
        both.add(risks={"age": state}, events=("night_cramps",))
        alone.add(risks={"age": state})
    given_age = both.probabilities() / alone.probabilities()
    low, high = effect.range
    for state, p in zip(real_knowledge.risks["age"].states, given_age, strict=True):
        assert (low < p < high) == (state in effect.when["age"])


def test_groups_are_their_modelled_members(
    real_knowledge: Knowledge, real_assembly: Assembly
) -> None:
    modelled = set(_causes(real_knowledge))
    for group in real_knowledge.groups.values():
        cpd = real_assembly.network.cpds[f"group:{group.id}"]
        assert isinstance(cpd, AnyOfCPD)
        assert set(cpd.parents) == set(group.members) & modelled


def test_what_is_excluded_is_not_in_the_network(
    real_knowledge: Knowledge, real_assembly: Assembly
) -> None:
    absent = set(real_knowledge.causes) - set(_causes(real_knowledge))
    assert absent.isdisjoint(real_assembly.network.variables)


def test_assembly_is_reproducible(real_knowledge: Knowledge, real_assembly: Assembly) -> None:
    assert assemble(real_knowledge).network.digest == real_assembly.network.digest


@pytest.mark.parametrize("parameterisation", ["net", "alone"])
@pytest.mark.parametrize(
    ("cause", "finding", "probability"),
    [("muscle_strain_overuse", "fever", 0.2), ("piriformis_syndrome", "night_pain", 0.01)],
)
def test_the_other_readings_of_a_link(
    real_knowledge: Knowledge, cause: str, finding: str, probability: float, parameterisation: str
) -> None:
    """``net`` is the strength itself; ``alone`` is P(finding) with this cause and no other."""
    changed = _with_link(real_knowledge, cause, finding, probability, parameterisation)
    network = assemble(changed).network
    cpd = network.cpds[finding]
    assert isinstance(cpd, NoisyOrCPD)
    if parameterisation == "net":
        assert cpd.strengths[cpd.activators.index(cause)] == pytest.approx(probability, abs=STATED)
        return
    if cause in cpd.activators:
        alone = 1.0 - (1.0 - cpd.leak) * (1.0 - cpd.strengths[cpd.activators.index(cause)])
    else:
        alone = cpd.leak * cpd.factors[cpd.inhibitors.index(cause)]
    assert alone == pytest.approx(probability, abs=STATED)


def _with_link(
    knowledge: Knowledge, cause: str, finding: str, probability: float, parameterisation: str
) -> Knowledge:
    template = next(iter(knowledge.causes[cause].links.values()))
    link = template.model_copy(
        update={"probability": probability, "parameterisation": parameterisation, "range": None}
    )
    links = dict(knowledge.causes[cause].links) | {finding: link}
    changed = knowledge.causes[cause].model_copy(update={"links": links})
    return knowledge.model_copy(update={"causes": dict(knowledge.causes) | {cause: changed}})
