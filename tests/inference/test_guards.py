"""Sizes and magnitudes at the edge: answered rightly, or refused in so many words."""

from dataclasses import replace
from importlib.util import find_spec
from itertools import pairwise

import numpy as np
import pytest
from oracle import enumerate_case
from random_networks import random_problem
from small_networks import cause, compiled, seen
from transforms import carried_over, side_by_side

from bayesdx.errors import TooComplex
from bayesdx.inference import (
    NoisyModel,
    compile_diagnosis,
    no_evidence,
    posteriors,
)
from bayesdx.inference.noisy.answer import TOO_COMPLEX
from bayesdx.inference.noisy.choice import Backend
from bayesdx.inference.noisy.complexity import coupled_names, too_complex
from bayesdx.network import CPD, AnyOfCPD, Network, NoisyMaxCPD, NoisyOrCPD, TableCPD, Variable

EXACT = 1e-12

numba = pytest.mark.skipif(find_spec("numba") is None, reason="needs the extra 'fast'")


def dense(n_causes: int, n_findings: int) -> NoisyModel:
    """Every finding has every cause."""
    causes = tuple(f"c{i}" for i in range(n_causes))
    return compiled(
        *(cause(name, 0.1) for name in causes),
        *(NoisyOrCPD(f"f{i}", causes, np.full(n_causes, 0.3), 0.1) for i in range(n_findings)),
    )


def chain(rng: np.random.Generator, length: int, scale: float = 1.0) -> NoisyModel:
    """Finding i has the causes i and i + 1, one of them at times as an inhibitor.

    Leaks and strengths are at most ``scale``.
    """
    causes = [f"c{i}" for i in range(length + 1)]
    cpds: list[CPD] = [cause(name, rng.uniform(0.01, 0.3)) for name in causes]
    for i, pair in enumerate(pairwise(causes)):
        if rng.random() < 0.3:
            one = NoisyOrCPD(
                f"f{i}", pair[:1], scale * rng.random(1), 0.2 * scale, pair[1:], rng.random(1)
            )
        else:
            one = NoisyOrCPD(f"f{i}", pair, scale * rng.random(2), scale * rng.random() ** 4)
        cpds.append(one)
    return compiled(*cpds)


def along_the_chain(model: NoisyModel, findings: np.ndarray) -> tuple[float, list[float]]:
    """Forward-backward over the causes of a chain: log evidence and posteriors."""
    network, causes = model.network, sorted(model.causes, key=lambda name: int(name[1:]))
    steps: list[np.ndarray] = []
    for i in range(len(causes) - 1):
        p = findings[model.findings.index(f"f{i}")]
        likelihood = np.ones(2) if np.isnan(p) else np.array([1.0 - p, p])
        steps.append(network.table(f"f{i}") @ likelihood * network.table(causes[i + 1]))
    forward, log = [network.table(causes[0])], 0.0
    for step in steps:
        ahead = forward[-1] @ step
        log += np.log(ahead.sum())
        forward.append(ahead / ahead.sum())
    backward = [np.ones(2)]
    for step in reversed(steps):
        back = step @ backward[-1]
        backward.append(back / back.sum())
    both = [f * b for f, b in zip(forward, reversed(backward), strict=True)]
    return log, [float(pair[1] / pair.sum()) for pair in both]


@pytest.mark.parametrize("seed", range(12))
def test_seventy_causes_and_more_than_twenty_positives(seed: int) -> None:
    """More causes than a word has bits; sparse links keep the frontier small."""
    rng = np.random.default_rng(seed)
    model = chain(rng, 70)
    evidence = no_evidence(model, 20)
    values = rng.choice([np.nan, 0.0, 1.0, 0.8], p=[0.2, 0.3, 0.4, 0.1], size=(20, 70))
    evidence.findings[:] = values
    answer = posteriors(model, evidence)
    assert (values == 1.0).sum(axis=1).max() > 20
    order = [model.causes.index(f"c{i}") for i in range(71)]
    for row in range(20):
        log, right = along_the_chain(model, values[row])
        assert answer.log_evidence[row] == pytest.approx(log, rel=EXACT)
        np.testing.assert_allclose(answer.causes[row, order], right, rtol=0, atol=EXACT)


def test_as_many_positives_as_there_are_axes() -> None:
    model = chain(np.random.default_rng(1), 70)
    values = np.full(70, np.nan)
    values[:64] = 1.0
    answer = posteriors(model, replace(no_evidence(model, 1), findings=values[None]))
    log, right = along_the_chain(model, values)
    order = [model.causes.index(f"c{i}") for i in range(71)]
    assert answer.log_evidence[0] == pytest.approx(log, rel=EXACT)
    np.testing.assert_allclose(answer.causes[0, order], right, rtol=0, atol=EXACT)


@pytest.mark.parametrize("seed", range(8))
def test_fifteen_random_networks_side_by_side(seed: int) -> None:
    """Some 50 causes with everything that can go wrong, answered part by part by enumeration."""
    problems = [random_problem(1000 * (seed + 1) + i, 1) for i in range(15)]
    problems = [problem for problem in problems if posteriors(*problem).possible[0]]
    model = compile_diagnosis(side_by_side([part.network for part, _ in problems]))
    evidence = no_evidence(model, 1)
    for i, (part, known) in enumerate(problems):
        names = {name: f"{name}@{i}" for name in part.network.variables}
        evidence = carried_over(known, part, model, evidence, names)
    answer = posteriors(model, evidence)
    truths = [enumerate_case(part, known, 0) for part, known in problems]
    log = sum(np.log(truth.evidence) for truth in truths)
    assert answer.log_evidence[0] == pytest.approx(log, rel=EXACT)
    for i, ((part, _), truth) in enumerate(zip(problems, truths, strict=True)):
        at = [model.causes.index(f"{name}@{i}") for name in part.causes]
        right = truth.causes / truth.evidence
        np.testing.assert_allclose(answer.causes[0, at], right, rtol=0, atol=EXACT)


def test_sixty_rare_findings() -> None:
    """P(evidence) is about 1e-380; the posteriors are ordinary numbers."""
    model = chain(np.random.default_rng(2), 60, scale=1e-6)
    values = np.ones(60)
    answer = posteriors(model, replace(no_evidence(model, 1), findings=values[None]))
    log, right = along_the_chain(model, values)
    assert log < np.log(5e-324)
    order = [model.causes.index(f"c{i}") for i in range(61)]
    assert answer.log_evidence[0] == pytest.approx(log, rel=1e-8)
    np.testing.assert_allclose(answer.causes[0, order], right, rtol=0, atol=1e-8)


BACKENDS = ["numpy", pytest.param("compiled", marks=numba)]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_a_row_beyond_the_limits_costs_that_row_alone(backend: Backend, chunk: int) -> None:
    """Too many axes for a word; a frontier too large to hold; beside them rows with answers."""
    too_dense, too_many = dense(n_causes=40, n_findings=30), chain(np.random.default_rng(0), 70)
    for model in (too_dense, too_many):
        evidence = no_evidence(model, 9)
        evidence.findings[6, 0] = 1.0
        evidence.findings[7] = 1.0
        answer = posteriors(model, evidence, chunk=chunk, backend=backend)
        assert answer.status.tolist() == [0] * 7 + [TOO_COMPLEX, 0]
        assert answer.log_evidence[7] == -np.inf
        assert not answer.causes[7].any()
        rest = np.delete(np.arange(9), 7)
        alone = posteriors(model, evidence.take(rest), backend=backend)
        np.testing.assert_allclose(answer.causes[rest], alone.causes, rtol=EXACT)
        np.testing.assert_allclose(answer.log_evidence[rest], alone.log_evidence, rtol=EXACT)
        assert too_complex(model, evidence).tolist() == answer.too_complex.tolist()
        assert coupled_names(model, evidence.take(np.array([7]))) == model.findings
        with pytest.raises(TooComplex, match=r"^case 7: expected findings and risks that couple"):
            answer.complete()


def test_what_is_too_complex_without_its_causes_is_refused_as_well() -> None:
    model = dense(n_causes=40, n_findings=30)
    evidence = no_evidence(model, 2)
    evidence.findings[1] = 1.0
    answer = posteriors(model, evidence, without=np.zeros(40, dtype=bool))
    assert answer.status.tolist() == [0, TOO_COMPLEX]
    assert answer.log_without[1] == -np.inf
    assert answer.log_without[0] == answer.log_evidence[0]


def test_twenty_positives_that_all_causes_share() -> None:
    """Inclusion-exclusion over 2^20 signed terms would leave no digits here."""
    model = dense(n_causes=10, n_findings=20)
    answer = posteriors(model, replace(no_evidence(model, 1), findings=np.ones((1, 20))))
    truth = enumerate_case(model, replace(no_evidence(model, 1), findings=np.ones((1, 20))), 0)
    assert answer.log_evidence[0] == pytest.approx(np.log(truth.evidence), rel=EXACT)
    np.testing.assert_allclose(answer.causes[0], truth.causes / truth.evidence, atol=EXACT)


def test_a_cause_that_is_certain_and_one_that_cannot_be() -> None:
    model = compiled(
        cause("sure", 1.0),
        cause("never", 0.0),
        cause("rare", 0.01),
        NoisyOrCPD("f", ("sure", "never", "rare"), np.array([0.3, 1.0, 0.5]), 0.0),
        NoisyOrCPD("g", ("never",), np.array([0.5]), 0.0),
    )
    here = posteriors(model, seen(model, f=1.0))
    assert here.log_evidence[0] == pytest.approx(np.log(0.99 * 0.3 + 0.01 * 0.65), rel=EXACT)
    right = [1.0, 0.0, 0.0065 / (0.297 + 0.0065)]
    np.testing.assert_allclose(here.causes[0], right, atol=EXACT)
    gone = posteriors(model, seen(model, g=1.0))
    assert not gone.possible[0], "no leak, and its only cause cannot be"
    assert gone.log_evidence[0] == -np.inf
    assert not gone.causes.any()


def test_without_leak_the_only_cause_left_is_certain() -> None:
    model = compiled(
        cause("rare", 1e-12),
        NoisyOrCPD("f", ("rare",), np.array([0.2]), 0.0),
        NoisyOrCPD("g", ("rare",), np.array([0.9]), 0.0),
    )
    answer = posteriors(model, seen(model, f=1.0, g=0.0))
    assert answer.causes[0, 0] == pytest.approx(1.0, abs=EXACT)
    assert answer.log_evidence[0] == pytest.approx(np.log(1e-12 * 0.2 * 0.1), rel=EXACT)


def test_evidence_far_below_the_smallest_double_of_unlinked_findings() -> None:
    model = compiled(
        cause("c", 0.1),
        AnyOfCPD("group", ("c",)),
        *(NoisyOrCPD(f"f{i}", (), np.array([]), 1e-60) for i in range(8)),
    )
    answer = posteriors(model, seen(model, **{f"f{i}": 1.0 for i in range(8)}))
    assert answer.log_evidence[0] == pytest.approx(8 * np.log(1e-60), rel=EXACT)
    assert answer.causes[0, 0] == pytest.approx(0.1, abs=EXACT)


def test_causes_that_absent_findings_make_all_but_impossible() -> None:
    """Sixty absent findings, each sparing the cause 1e-9: far below the smallest double."""
    sparing = 1.0 - 1e-9
    model = compiled(
        cause("c", 0.5),
        cause("d", 0.5),
        *(NoisyOrCPD(f"f{i}", ("c",), np.array([sparing]), 0.1) for i in range(60)),
        NoisyOrCPD("g", ("c", "d"), np.array([0.9, 0.5]), 0.0),
    )
    evidence = seen(model, **{f"f{i}": 0.0 for i in range(60)}, g=1.0)
    answer = posteriors(model, evidence)
    assert answer.log_evidence[0] == pytest.approx(60 * np.log(0.9) + np.log(0.125), rel=EXACT)
    np.testing.assert_allclose(answer.causes[0], [0.0, 1.0], atol=EXACT)


def test_a_batch_without_rows() -> None:
    model, _ = random_problem(0)
    answer = posteriors(model, no_evidence(model, 0))
    assert answer.log_evidence.shape == (0,)
    assert answer.causes.shape == (0, len(model.causes))
    assert posteriors(model, no_evidence(model, 0), only_evidence=True).causes.shape == (0, 0)


RISK = (Variable("r"), TableCPD("r", (), np.array([0.25, 0.75])))
CAUSE = (Variable("c"), cause("c", 0.2))
FINDING = (Variable("f"), NoisyOrCPD("f", ("c",), np.array([0.5]), 0.1))
LEVELS = (Variable("o"), NoisyMaxCPD("o", ("c",), np.array([[0.5]]), np.array([0.1])))
GROUP = (Variable("g"), AnyOfCPD("g", ("c",)))


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param([], id="nothing at all"),
        pytest.param([RISK], id="one risk"),
        pytest.param([CAUSE, GROUP], id="a cause in a group"),
        pytest.param([CAUSE, FINDING], id="no risk and no ordinal"),
        pytest.param([CAUSE, LEVELS], id="no risk and no finding"),
        pytest.param([RISK, CAUSE, GROUP], id="no finding but a risk"),
        pytest.param(
            [(Variable("f"), NoisyOrCPD("f", (), np.array([]), 0.1))], id="a finding, no cause"
        ),
    ],
)
def test_a_network_without_one_of_the_layers(layers: list[tuple[Variable, CPD]]) -> None:
    model = compile_diagnosis(Network([v for v, _ in layers], [cpd for _, cpd in layers]))
    blank = no_evidence(model, 2)
    positive = replace(blank, findings=np.ones_like(blank.findings), lower=blank.upper)
    for evidence in (blank, positive):
        answer = posteriors(model, evidence)
        truth = enumerate_case(model, evidence, 1)
        assert answer.log_evidence[1] == pytest.approx(np.log(truth.evidence), abs=EXACT)
        np.testing.assert_allclose(answer.causes[1], truth.causes / truth.evidence, atol=EXACT)
