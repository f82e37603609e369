"""The compiled loop answers as NumPy does, and as adding up every joint state does."""

import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from oracle import enumerate_case
from random_networks import random_problem

from bayesdx.errors import BayesdxError
from bayesdx.inference import (
    Answer,
    Evidence,
    NoisyModel,
    compile_diagnosis,
    no_evidence,
    posteriors,
)
from bayesdx.inference.noisy import jit
from bayesdx.inference.noisy.sampling import observe, sample_cases
from bayesdx.inference.noisy.symptoms import prior_weights
from bayesdx.network import Network, NoisyOrCPD, TableCPD, Variable

EXACT = 1e-12
QUICK, SLOW, PER_TEST = 400, 2000, 100

numba = pytest.mark.skipif(find_spec("numba") is None, reason="needs the extra 'fast'")


def check_against_numpy(model: NoisyModel, evidence: Evidence, absent: np.ndarray) -> Answer:
    """Compare all that both give."""
    right = posteriors(model, evidence, without=absent, backend="numpy")
    answer = posteriors(model, evidence, without=absent, backend="compiled")
    only = posteriors(model, evidence, only_evidence=True, backend="compiled")
    np.testing.assert_array_equal(answer.possible, right.possible)
    np.testing.assert_allclose(answer.causes, right.causes, rtol=0, atol=EXACT)
    for one, other in (
        (answer.log_evidence, right.log_evidence),
        (answer.log_without, right.log_without),
        (only.log_evidence, right.log_evidence),
    ):
        np.testing.assert_allclose(one, other, rtol=EXACT, atol=EXACT)
    assert only.causes.shape == (len(evidence), 0)
    return answer


def check_problem(seed: int) -> int:
    """Check one random network against NumPy; return how many of its cases are impossible."""
    model, evidence = random_problem(seed)
    absent = np.random.default_rng(seed).random(len(model.causes)) < 0.6
    return int((~check_against_numpy(model, evidence, absent).possible).sum())


@numba
@pytest.mark.parametrize("first", range(0, QUICK, PER_TEST))
def test_random_networks_are_answered_as_numpy_does(first: int) -> None:
    assert sum(check_problem(seed) for seed in range(first, first + PER_TEST)) > 0


@numba
@pytest.mark.slow
@pytest.mark.parametrize("first", range(QUICK, QUICK + SLOW, 10 * PER_TEST))
def test_many_more_random_networks_are_answered_as_numpy_does(first: int) -> None:
    for seed in range(first, first + 10 * PER_TEST):
        check_problem(seed)


@numba
def test_random_networks_are_answered_as_the_sums_over_all_worlds() -> None:
    for seed in range(60):
        model, evidence = random_problem(seed)
        answer = posteriors(model, evidence, backend="compiled")
        for row in range(len(evidence)):
            truth = enumerate_case(model, evidence, row)
            assert answer.possible[row] == (truth.evidence > 0.0)
            if truth.evidence == 0.0:
                assert not answer.causes[row].any()
                continue
            log_evidence = answer.log_evidence[row]
            assert log_evidence == pytest.approx(np.log(truth.evidence), rel=0, abs=EXACT)
            right = truth.causes / truth.evidence
            np.testing.assert_allclose(answer.causes[row], right, rtol=0, atol=EXACT)


def drawn(model: NoisyModel, n_cases: int, seed: int, asked: float, risks_asked: float) -> Evidence:
    rng = np.random.default_rng(seed)
    rates = {"asked": (asked, asked), "risks_asked": (risks_asked, risks_asked)}
    return observe(model, sample_cases(model, n_cases, rng), rng, **rates)


@numba
@pytest.mark.parametrize("asked", [0.0, 0.1, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("risks_asked", [0.0, 0.3, 0.8, 1.0])
def test_a_network_of_real_size_is_answered_as_numpy_does(
    snapshot_model: NoisyModel, asked: float, risks_asked: float
) -> None:
    # Everything asked and no risk known makes frontiers that take NumPy a second each.
    n_cases = 150 if asked <= 0.3 else 6
    evidence = drawn(snapshot_model, n_cases, 1, asked, risks_asked)
    check_against_numpy(snapshot_model, evidence, np.ones(len(snapshot_model.causes), dtype=bool))


@numba
def test_soft_findings_and_known_causes(snapshot_model: NoisyModel) -> None:
    model, rng = snapshot_model, np.random.default_rng(2)
    evidence = drawn(model, 100, 2, 0.2, 0.4)
    soft = np.where(evidence.findings == 1.0, rng.random(evidence.findings.shape), np.nan)
    chosen = rng.random(soft.shape) < 0.5
    findings = np.where(chosen & ~np.isnan(soft), soft, evidence.findings)
    causes = np.where(rng.random(evidence.causes.shape) < 0.05, 0, evidence.causes)
    causes[rng.random(causes.shape) < 0.01] = 1
    changed = Evidence(
        findings, evidence.lower, evidence.upper, evidence.risks, causes.astype(np.int8)
    )
    check_against_numpy(model, changed, rng.random(len(model.causes)) < 0.5)


def same_bits(one: Answer, other: Answer) -> None:
    for name in ("log_evidence", "causes", "log_without"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes()


@numba
def test_no_bit_depends_on_the_number_of_threads_or_the_other_rows(
    snapshot_model: NoisyModel,
) -> None:
    model = snapshot_model
    evidence = drawn(model, 3000, 3, 0.25, 0.3)
    absent = np.ones(len(model.causes), dtype=bool)
    weights = prior_weights(model)
    options = {"without": absent, "symptoms": weights, "backend": "compiled"}
    answers = [posteriors(model, evidence, workers=workers, **options) for workers in (1, 2, 5)]
    answers.append(posteriors(model, evidence, **options))
    for answer in answers[1:]:
        same_bits(answers[0], answer)
    order = np.random.default_rng(0).permutation(len(evidence))[:700]
    shuffled = posteriors(model, evidence.take(order), **options)
    fields = [getattr(answers[0], name) for name in vars(answers[0])]
    taken = Answer(*(field[order] if len(field) else field for field in fields))
    same_bits(shuffled, taken)


@numba
@pytest.mark.parametrize(("worth", "threads"), [(0.0, 3), (1e9, 1)])
def test_few_rows_take_threads_where_the_first_ones_are_long(
    worth: float, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each row once, and the same answers, whatever the first ones took."""
    driver = import_module("bayesdx.inference.noisy.jit.driver")
    model, evidence = random_problem(3, 40)
    right = driver.run(model, evidence, workers=1)
    made: list[object] = []

    class Counted(driver.Workspace):
        def __init__(self, *arguments: object) -> None:
            made.append(self)
            super().__init__(*arguments)

    monkeypatch.setattr(driver, "_WORTH_THREADS", worth)
    monkeypatch.setattr(driver, "Workspace", Counted)
    for rows in (40, 5, 4, 1, 0):
        found = driver.run(model, evidence.take(slice(0, rows)), workers=3)
        for at in (0, 1, 3):
            np.testing.assert_array_equal(found[at], right[at][:rows])
        assert len(made) == min(threads, max(1, rows - 4))
        made.clear()


@numba
def test_kernels_are_compiled_ahead_and_for_one_type_of_arguments(
    snapshot_model: NoisyModel,
) -> None:
    driver = import_module("bayesdx.inference.noisy.jit.driver")
    _, seconds = driver.prepare()
    assert seconds >= 0.0
    evidence = drawn(snapshot_model, 20, 6, 0.2, 0.3)
    posteriors(snapshot_model, evidence, backend="compiled")
    assert len(driver.answer_rows.signatures) == 1
    assert driver.prepare()[1] < 0.5


@numba
def test_memory_grows_with_the_case() -> None:
    model = star(16, 24)
    driver = import_module("bayesdx.inference.noisy.jit.driver")
    parts = [present(model, count).take(slice(1, 2)) for count in (2, 12, 3, 24, 4)]
    columns = ("findings", "lower", "upper", "risks", "causes")
    evidence = Evidence(*(np.concatenate([getattr(p, name) for p in parts]) for name in columns))
    log_evidence, causes, _, status, _ = driver.run(model, evidence, workers=1)
    assert not status.any()
    for row in range(5):
        right = posteriors(model, parts[row], backend="numpy")
        np.testing.assert_allclose(causes[row], right.causes[0], rtol=0, atol=EXACT)
        assert log_evidence[row] == pytest.approx(right.log_evidence[0], rel=EXACT)


@numba
def test_empty_batches() -> None:
    model, evidence = random_problem(0)
    none = evidence.take(slice(0, 0))
    answer = posteriors(model, none, backend="compiled", without=np.ones(len(model.causes), bool))
    assert answer.log_evidence.shape == answer.log_without.shape == (0,)
    assert answer.causes.shape == (0, len(model.causes))


def star(n_causes: int, n_findings: int, leak: float = 0.01) -> NoisyModel:
    """Every cause may bring about every finding."""
    rng = np.random.default_rng(0)
    causes = [f"cause{i}" for i in range(n_causes)]
    findings = [f"finding{i}" for i in range(n_findings)]
    cpds = [TableCPD(name, (), np.array([0.9, 0.1])) for name in causes]
    links = [
        NoisyOrCPD(name, tuple(causes), rng.uniform(0.1, 0.9, n_causes), leak) for name in findings
    ]
    return compile_diagnosis(Network([Variable(n) for n in causes + findings], [*cpds, *links]))


def present(model: NoisyModel, n_findings: int) -> Evidence:
    blank = no_evidence(model, 2)
    findings = blank.findings.copy()
    findings[1, :n_findings] = 1.0
    return Evidence(findings, blank.lower, blank.upper, blank.risks, blank.causes)


@numba
@pytest.mark.parametrize("n_causes", [64, 65, 130])
def test_more_causes_than_bits_of_a_word(n_causes: int) -> None:
    model = star(n_causes, 5)
    check_against_numpy(model, present(model, 5), np.zeros(n_causes, dtype=bool))


@numba
def test_many_rare_findings_do_not_underflow() -> None:
    """Sixty findings of 1e-9 that a cause doubles: the evidence is about 1e-540."""
    network = Network(
        [Variable("a"), *(Variable(f"f{i}") for i in range(60))],
        [
            TableCPD("a", (), np.array([0.5, 0.5])),
            *(NoisyOrCPD(f"f{i}", ("a",), np.array([1e-9]), 1e-9) for i in range(60)),
        ],
    )
    model = compile_diagnosis(network)
    answer = posteriors(model, present(model, 60), backend="compiled")
    # a present: 2e-9 - 1e-18 each; absent: 1e-9 each.
    with_a, without_a = 60 * np.log(2e-9 - 1e-18), 60 * np.log(1e-9)
    right = np.logaddexp(with_a, without_a) + np.log(0.5)
    assert answer.log_evidence[1] == pytest.approx(right, rel=EXACT)
    assert answer.causes[1, 0] == pytest.approx(1.0 / (1.0 + np.exp(without_a - with_a)), rel=EXACT)


@numba
def test_too_much_is_refused_and_the_rest_answered() -> None:
    for model in (star(3, 65), star(40, 40)):
        answer = posteriors(model, present(model, len(model.findings)), backend="compiled")
        assert answer.too_complex.tolist() == [False, True]


def test_what_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    model, evidence = random_problem(0)
    with pytest.raises(BayesdxError, match="backend: expected auto, numpy or compiled, got 'gpu'"):
        posteriors(model, evidence, backend="gpu")  # type: ignore[arg-type]
    monkeypatch.setattr(jit, "installed", lambda: False)
    with pytest.raises(BayesdxError, match="backend: expected numba, of the extra 'fast'"):
        posteriors(model, evidence, backend="compiled")
    monkeypatch.setattr(jit, "installed", lambda: True)
    with pytest.raises(BayesdxError, match="backend: expected smaller tables of causes"):
        posteriors(replace(model, arrays=None), evidence, backend="compiled")


def run(code: str, **environment: str) -> str:
    root = Path(__file__).parents[3] / "engine"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(root), "PATH": "", **environment},
        timeout=300,
    )
    return done.stdout.strip()


def test_numba_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, bayesdx; bayesdx.load().diagnose({}); print('numba' in sys.modules)"
    assert run(code) == "False"


def test_without_numba_the_default_is_numpy() -> None:
    code = """
import sys
sys.modules["numba"] = None
from importlib import util
found = util.find_spec
util.find_spec = lambda name, *rest: None if name == "numba" else found(name, *rest)
import bayesdx
from bayesdx.inference import no_evidence, posteriors
model = bayesdx.load().assembly.model
print(posteriors(model, no_evidence(model, 30)).causes.shape[0])
"""
    assert run(code) == "30"
