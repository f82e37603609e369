"""What must not change an answer does not, and what must change it does so by the right amount."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest
from random_networks import random_problem
from small_networks import with_causes
from transforms import carried_over, extended, renamed, shuffled, side_by_side

from bayesdx.inference import (
    Answer,
    Evidence,
    NoisyModel,
    compile_diagnosis,
    no_evidence,
    posteriors,
)
from bayesdx.network import Network, NoisyMaxCPD, NoisyOrCPD, Variable

EXACT = 1e-12
SEEDS = range(30)
N_CASES = 40


@dataclass(frozen=True, eq=False)
class Told:
    """What an answer should say."""

    log_evidence: np.ndarray
    causes: np.ndarray

    @property
    def possible(self) -> np.ndarray:
        return ~np.isneginf(self.log_evidence)


def same(got: Answer | Told, expected: Answer | Told) -> None:
    np.testing.assert_array_equal(got.possible, expected.possible)
    possible = expected.possible
    np.testing.assert_allclose(
        got.log_evidence[possible], expected.log_evidence[possible], rtol=0, atol=EXACT
    )
    np.testing.assert_allclose(got.causes, expected.causes, rtol=0, atol=EXACT)


def identical(got: Answer | Told, expected: Answer | Told) -> None:
    np.testing.assert_array_equal(got.log_evidence, expected.log_evidence)
    np.testing.assert_array_equal(got.causes, expected.causes)


def asked_of(
    network: Network,
    model: NoisyModel,
    evidence: Evidence,
    names: Mapping[str, str] | None = None,
) -> Told:
    """Ask ``network`` what ``model`` is asked; its causes in the order of the model's."""
    other = compile_diagnosis(network)
    blank = no_evidence(other, len(evidence))
    answer = posteriors(other, carried_over(evidence, model, other, blank, names))
    wanted = [other.causes.index(names[name] if names else name) for name in model.causes]
    return Told(answer.log_evidence, answer.causes[:, wanted])


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_variables_and_parents_changes_nothing(seed: int) -> None:
    model, evidence = random_problem(seed, N_CASES)
    other = shuffled(model.network, np.random.default_rng(seed))
    same(asked_of(other, model, evidence), posteriors(model, evidence))


@pytest.mark.parametrize("seed", SEEDS)
def test_names_change_nothing(seed: int) -> None:
    model, evidence = random_problem(seed, N_CASES)
    labels = np.random.default_rng(seed).permutation(len(model.network.variables))
    names = {name: f"x{i}" for name, i in zip(model.network.variables, labels, strict=True)}
    other = renamed(model.network, names)
    identical(asked_of(other, model, evidence, names), posteriors(model, evidence))


@pytest.mark.parametrize("chunk", [1, 2, 7, 39, 1000])
def test_the_size_of_chunks_changes_nothing(chunk: int) -> None:
    for seed in SEEDS:
        model, evidence = random_problem(seed, N_CASES)
        same(posteriors(model, evidence, chunk=chunk), posteriors(model, evidence))


@pytest.mark.parametrize("seed", SEEDS)
def test_company_changes_nothing(seed: int) -> None:
    """Splitting, permuting and repeating rows: every case is answered for itself."""
    model, evidence = random_problem(seed, N_CASES)
    whole = posteriors(model, evidence)
    rng = np.random.default_rng(seed)
    for rows in (
        np.arange(N_CASES // 3),
        np.arange(N_CASES // 3, N_CASES),
        rng.permutation(N_CASES),
        rng.integers(0, N_CASES, 3 * N_CASES),
        np.full(17, seed % N_CASES),
    ):
        part = posteriors(model, evidence.take(rows))
        same(part, Told(whole.log_evidence[rows], whole.causes[rows]))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_finding_nobody_looked_for_changes_nothing(seed: int) -> None:
    model, evidence = random_problem(seed, N_CASES)
    rng = np.random.default_rng(seed)
    acting = tuple(rng.permutation(model.causes)[: rng.integers(0, len(model.causes) + 1)])
    rest = tuple(name for name in model.causes if name not in acting)
    more = extended(
        model.network,
        [Variable("new"), Variable("levels", ("low", "middle", "high"))],
        [
            NoisyOrCPD("new", acting, rng.random(len(acting)), 0.3, rest, rng.random(len(rest))),
            NoisyMaxCPD(
                "levels", acting, np.tile([0.6, 0.3], (len(acting), 1)), np.array([0.2, 0.1])
            ),
        ],
    )
    same(asked_of(more, model, evidence), posteriors(model, evidence))


@pytest.mark.parametrize("seed", SEEDS)
def test_more_links_to_a_finding_nobody_looked_for_change_nothing(seed: int) -> None:
    model, evidence = random_problem(seed, N_CASES)
    unseen = evidence.findings.copy()
    unseen[:, 0] = np.nan
    evidence = replace(evidence, findings=unseen)
    every = NoisyOrCPD(model.findings[0], model.causes, np.full(len(model.causes), 0.9), leak=0.5)
    linked = extended(model.network, [], [every])
    same(asked_of(linked, model, evidence), posteriors(model, evidence))


def with_finding(evidence: Evidence, position: int, value: float) -> Evidence:
    findings = evidence.findings.copy()
    findings[:, position] = value
    return replace(evidence, findings=findings)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_even_chance_says_nothing(seed: int) -> None:
    model, evidence = random_problem(seed, N_CASES)
    for f in range(len(model.findings)):
        unknown = posteriors(model, with_finding(evidence, f, np.nan))
        even = posteriors(model, with_finding(evidence, f, 0.5))
        same(even, Told(unknown.log_evidence + np.log(0.5), unknown.causes))


def total(*parts: Answer | Told, weights: tuple[float, ...] | None = None) -> Told:
    """P(e) = sum of w_i P(e_i), and the posteriors mixed accordingly."""
    masses = [
        w * np.exp(p.log_evidence)
        for p, w in zip(parts, weights or (1.0,) * len(parts), strict=True)
    ]
    mass = np.sum(masses, axis=0)
    joint = np.sum([m[:, None] * p.causes for m, p in zip(masses, parts, strict=True)], axis=0)
    with np.errstate(divide="ignore"):
        log_mass = np.log(mass)
    return Told(
        log_mass, np.divide(joint, mass[:, None], out=np.zeros_like(joint), where=mass[:, None] > 0)
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_present_and_absent_make_up_the_whole(seed: int) -> None:
    model, evidence = random_problem(seed, N_CASES)
    for f in range(len(model.findings)):
        absent, present, soft, unknown = (
            posteriors(model, with_finding(evidence, f, value)) for value in (0.0, 1.0, 0.3, np.nan)
        )
        same(total(absent, present), unknown)
        same(total(absent, present, weights=(0.7, 0.3)), soft)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_states_of_an_ordinal_or_a_risk_make_up_the_whole(seed: int) -> None:
    model, evidence = random_problem(seed, N_CASES)
    for o, size in enumerate(model.ordinal_sizes):
        parts = [replace(evidence, **_state(evidence, o, s, s)) for s in range(size)]
        whole = replace(evidence, **_state(evidence, o, 0, size - 1))
        same(total(*(posteriors(model, part) for part in parts)), posteriors(model, whole))
    for r, prior in enumerate(model.risk_priors):
        answers = [posteriors(model, _with_risk(evidence, r, s)) for s in range(len(prior))]
        same(total(*answers), posteriors(model, _with_risk(evidence, r, -1)))


def _state(evidence: Evidence, o: int, first: int, last: int) -> dict[str, np.ndarray]:
    lower, upper = evidence.lower.copy(), evidence.upper.copy()
    lower[:, o], upper[:, o] = first, last
    return {"lower": lower, "upper": upper}


def _with_risk(evidence: Evidence, r: int, state: int) -> Evidence:
    risks = evidence.risks.copy()
    risks[:, r] = state
    return replace(evidence, risks=risks)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_posterior_is_the_share_of_the_evidence_with_the_cause(seed: int) -> None:
    model, evidence = random_problem(seed, N_CASES)
    for c in range(len(model.causes)):
        free, absent, present = (
            posteriors(model, with_causes(evidence, c, state)) for state in (-1, 0, 1)
        )
        share = np.exp(present.log_evidence - np.where(free.possible, free.log_evidence, 0.0))
        np.testing.assert_allclose(share, free.causes[:, c], rtol=0, atol=EXACT)
        same(total(absent, present), free)
        np.testing.assert_allclose(present.causes[present.possible, c], 1.0, rtol=0, atol=EXACT)
        assert not absent.causes[:, c].any(), "what is known to be absent has probability 0 exactly"


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_seen_is_certain_and_leaves_the_priors(seed: int) -> None:
    model, _ = random_problem(seed)
    answer = posteriors(model, no_evidence(model, 3))
    np.testing.assert_allclose(answer.log_evidence, 0.0, atol=EXACT)
    for c, (parents, table) in enumerate(zip(model.cause_parents, model.cause_tables, strict=True)):
        prior = table
        for r in reversed(parents):
            prior = prior @ model.risk_priors[r]
        np.testing.assert_allclose(answer.causes[:, c], prior, atol=EXACT)


@pytest.mark.parametrize("seed", range(20))
def test_evidence_elsewhere_changes_nothing(seed: int) -> None:
    """A cause that no path joins to the evidence keeps its prior; unconnected parts multiply."""
    problems = [random_problem(100 * seed + i, N_CASES) for i in range(3)]
    model = compile_diagnosis(side_by_side([part.network for part, _ in problems]))
    evidence = no_evidence(model, N_CASES)
    parts = []
    for i, (part, seen) in enumerate(problems):
        if i:  # nothing is known of the first part
            names = {name: f"{name}@{i}" for name in part.network.variables}
            evidence = carried_over(seen, part, model, evidence, names)
        parts.append(posteriors(part, seen if i else no_evidence(part, N_CASES)))
    answer = posteriors(model, evidence)
    log_evidence = np.sum([part.log_evidence for part in parts], axis=0)
    causes = np.concatenate([part.causes for part in parts], axis=1)
    order = [
        model.causes.index(f"{name}@{i}")
        for i, (part, _) in enumerate(problems)
        for name in part.causes
    ]
    possible = np.isfinite(log_evidence)
    same(
        Told(answer.log_evidence, answer.causes[:, order]),
        Told(log_evidence, np.where(possible[:, None], causes, 0.0)),
    )
    first = answer.causes[possible][:, order[: len(problems[0][0].causes)]]
    np.testing.assert_allclose(first, parts[0].causes[possible], rtol=0, atol=EXACT)


@pytest.mark.parametrize("seed", SEEDS)
def test_without_some_causes_is_as_if_they_were_known_to_be_absent(seed: int) -> None:
    model, evidence = random_problem(seed, N_CASES)
    rng = np.random.default_rng(seed)
    for share in (0.0, 0.3, 0.6, 1.0):
        without = rng.random(len(model.causes)) < share
        got = posteriors(model, evidence, without=without)
        same(got, posteriors(model, evidence))
        clamped = with_causes(evidence, np.flatnonzero(without), 0)
        contradicts = (evidence.causes[:, without] == 1).any(axis=1)
        right = np.where(contradicts, -np.inf, posteriors(model, clamped).log_evidence)
        possible = np.isfinite(right)
        np.testing.assert_array_equal(np.isfinite(got.log_without), possible)
        np.testing.assert_allclose(got.log_without[possible], right[possible], rtol=0, atol=EXACT)
