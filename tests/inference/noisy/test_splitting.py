"""Cases that couple too much, answered as differences of cases that couple less."""

from dataclasses import replace

import numpy as np
import pytest
from random_networks import random_problem
from slow_twin import twin_evidence
from small_networks import with_causes

import bayesdx
from bayesdx.inference import Evidence, NoisyModel, compile_diagnosis, no_evidence, posteriors
from bayesdx.inference.evidence import clamped_absent
from bayesdx.inference.noisy import complexity, query, splitting
from bayesdx.inference.noisy.answer import TOO_COMPLEX, Answer
from bayesdx.inference.noisy.complexity import too_complex
from bayesdx.inference.noisy.sampling import observe, sample_cases
from bayesdx.inference.noisy.splitting import answered_in_parts
from bayesdx.inference.noisy.symptoms import prior_weights
from bayesdx.network import Network, NoisyOrCPD, TableCPD, Variable


def refused(answer: Answer, rows: np.ndarray) -> Answer:
    return replace(answer, too_complex=rows)


def in_parts(
    model: NoisyModel,
    evidence: Evidence,
    rounds: int,
    symptoms: np.ndarray | None = None,
    without: np.ndarray | None = None,
) -> Answer:
    """Answer every case in parts, as if it and its parts were too complex so many times."""
    asked = []

    def ask(parts: Evidence, owner: np.ndarray) -> Answer:
        assert (owner < len(evidence)).all()
        asked.append(len(parts))
        found = posteriors(model, parts, symptoms=symptoms, without=without, backend="numpy")
        return refused(found, np.full(len(parts), len(asked) < rounds))

    n = len(evidence)
    shape = (n, len(model.causes))
    split = [np.zeros(shape if symptoms is not None else (0, 0)) for _ in range(2)]
    log_without = np.full(0 if without is None else n, -np.inf)
    nothing = np.full(n, -np.inf), np.zeros(shape), log_without
    return answered_in_parts(
        model, evidence, Answer(*nothing, np.ones(n, bool), *split), ask, symptoms=symptoms
    )


def test_parts_add_up_to_enumeration() -> None:
    seen = 0
    for seed in range(3):
        model, evidence = random_problem(seed)
        found = in_parts(model, evidence, 1 + seed % 3)
        for row in np.flatnonzero(found.status != TOO_COMPLEX)[:2].tolist():
            total = twin_evidence(model, evidence, row)
            assert np.exp(found.log_evidence[row]) == pytest.approx(total, rel=1e-12)
            for c in range(len(model.causes)):
                one = with_causes(evidence, c, 1)
                joint = 0.0 if evidence.causes[row, c] == 0 else twin_evidence(model, one, row)
                assert found.causes[row, c] * total == pytest.approx(joint, rel=1e-12, abs=1e-14)
            seen += 1
    assert seen >= 2


def test_every_question_is_answered_as_that_of_the_whole() -> None:
    core = bayesdx.load().core
    model, rng = core.model, np.random.default_rng(3)
    evidence = observe(
        model, sample_cases(model, 40, rng), rng, asked=(0.2, 0.4), risks_asked=(0.8, 1.0)
    )
    symptoms, without = prior_weights(model), rng.random(len(model.causes)) < 0.4
    whole = posteriors(model, evidence, symptoms=symptoms, without=without, backend="numpy")
    for rounds, least in ((1, 36), (2, 20), (3, 8)):
        found = in_parts(model, evidence, rounds, symptoms, without)
        rows = np.flatnonzero(found.status != TOO_COMPLEX)
        assert len(rows) > least
        for name in ("log_evidence", "causes", "log_without", "responsible", "credit"):
            one, other = getattr(found, name)[rows], getattr(whole, name)[rows]
            np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-12, err_msg=name)
        # What was not split is not made up.
        left = np.flatnonzero(found.status == TOO_COMPLEX)
        assert not found.causes[left].any()
        assert not found.credit[left].any()


def test_a_case_of_which_few_digits_would_be_left_stays_beyond_the_limits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, evidence = random_problem(7)
    found = in_parts(model, evidence, 1)
    answered = found.status != TOO_COMPLEX
    assert answered.any()
    # Parts are larger than the case, whatever it is.
    monkeypatch.setattr(splitting, "_MOST_LOST", 0.0)
    assert (in_parts(model, evidence, 1).status == TOO_COMPLEX).all()


def test_digits_of_a_share_are_counted_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A set of causes absent may be hardly possible: its own digits are lost, the share's not."""
    model, evidence = random_problem(7)
    whole = posteriors(model, evidence, backend="numpy")
    assert not whole.too_complex.any()
    alone = clamped_absent(evidence.take(slice(0, 1)), np.eye(len(model.causes), dtype=bool)[:2])
    right = posteriors(model, alone, only_evidence=True, backend="numpy")
    monkeypatch.setattr(splitting, "_MOST_LOST", 3.0)

    def ask(parts: Evidence, owner: np.ndarray) -> Answer:
        return posteriors(model, parts, only_evidence=True, backend="numpy")

    first = refused(right, np.ones(2, dtype=bool))
    for log_share, answered in ((-5.0, False), (60.0, True)):
        share_of = right.log_evidence + log_share
        found = answered_in_parts(model, alone, first, ask, share_of=share_of)
        assert (found.status != TOO_COMPLEX).tolist() == [answered] * 2
        if answered:
            difference = np.exp(found.log_evidence - share_of) - np.exp(-log_share)
            assert np.abs(difference).max() < 1e-15


def test_what_is_left_in_the_end_is_asked_at_a_higher_price() -> None:
    model, evidence = random_problem(7)
    whole = posteriors(model, evidence, backend="numpy")
    n, last = len(evidence), []

    def never(parts: Evidence, owner: np.ndarray) -> Answer:
        return refused(posteriors(model, parts, backend="numpy"), np.ones(len(parts), bool))

    def dear(parts: Evidence, owner: np.ndarray) -> Answer:
        last.append(np.bincount(owner, minlength=n))
        return posteriors(model, parts, backend="numpy")

    first = refused(whole, np.ones(n, dtype=bool))
    assert (answered_in_parts(model, evidence, first, never).status == TOO_COMPLEX).all()
    found = answered_in_parts(model, evidence, first, never, dear)
    rows = np.flatnonzero(found.status != TOO_COMPLEX)
    assert len(rows)
    np.testing.assert_allclose(found.causes[rows], whole.causes[rows], atol=1e-12)
    # Each part is asked so once, however many its case has.
    assert sum(last)[rows].max() <= splitting.MOST_PARTS


def test_what_takes_too_many_parts_is_given_up_and_the_others_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, rng = bayesdx.load("examples/headache").core.model, np.random.default_rng(1)
    evidence = observe(model, sample_cases(model, 12, rng), rng, asked=(1.0, 1.0))
    findings = evidence.findings.copy()
    findings[::2] = 1.0
    evidence = replace(evidence, findings=findings)
    whole = posteriors(model, evidence, backend="numpy")
    sizes = []

    def ask(parts: Evidence, owner: np.ndarray) -> Answer:
        sizes.append(np.bincount(owner, minlength=12))
        return refused(posteriors(model, parts, backend="numpy"), owner % 2 == 0)

    first = refused(whole, np.arange(12) >= 6)
    found = answered_in_parts(model, evidence, first, ask)
    # Cases 6, 8 and 10 never become easy; 7, 9 and 11 at once, where there is what may be split.
    assert (found.status[[6, 8, 10]] == TOO_COMPLEX).all()
    np.testing.assert_array_equal(found.log_evidence[:6], whole.log_evidence[:6])
    assert max(int(one.max()) for one in sizes) <= splitting.MOST_PARTS
    assert all(one[:6].sum() == 0 for one in sizes)
    easy = [row for row in (7, 9, 11) if found.status[row] != TOO_COMPLEX]
    assert easy
    np.testing.assert_allclose(found.causes[easy], whole.causes[easy], atol=1e-13)


def test_what_is_certain_or_rare_is_not_split() -> None:
    """A link that never fails, a finding that hardly is without a cause: nothing is left to try."""
    network = Network(
        [Variable("a"), Variable("b"), Variable("f"), Variable("g"), Variable("h")],
        [
            TableCPD("a", (), np.array([0.7, 0.3])),
            TableCPD("b", (), np.array([0.6, 0.4])),
            NoisyOrCPD("f", ("a", "b"), np.array([1.0, 0.5]), 0.5),
            NoisyOrCPD("g", ("a", "b"), np.array([0.5, 0.5]), 0.001),
            NoisyOrCPD("h", ("a", "b"), np.array([0.5, 0.4]), 0.2),
        ],
    )
    model = compile_diagnosis(network)
    evidence = replace(no_evidence(model, 3), findings=np.eye(3))
    found = in_parts(model, evidence, 1)
    assert (found.status == TOO_COMPLEX).tolist() == [True, True, False]
    right = posteriors(model, evidence, backend="numpy")
    np.testing.assert_allclose(found.causes[2], right.causes[2], rtol=1e-13)


def drawn_forms(seed: int, count: int, risks: float) -> tuple[NoisyModel, Evidence]:
    """Forms of which most is filled in, and a share of the risks known."""
    model, rng = bayesdx.load().core.model, np.random.default_rng(seed)
    cases = sample_cases(model, count, rng)
    return model, observe(model, cases, rng, asked=(0.6, 0.8), risks_asked=(risks, risks))


def test_a_case_beyond_the_limits_is_that_of_each_age_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What one plan refuses, split into parts here and into the ages of the person by the judge."""
    pytest.importorskip("numba")
    from bayesdx.inference.noisy.jit.driver import run

    model, evidence = drawn_forms(0, 60, 0.7)
    age, limit = model.risks.index("age"), 1 << 20
    hard = (run(model, evidence, most_work=limit)[3] != 0) & (evidence.risks[:, age] == -1)
    evidence = evidence.take(np.flatnonzero(hard)[:4])
    for name in ("EASY_WORK", "MOST_WORK"):
        monkeypatch.setattr(query, name, limit)
    found = posteriors(model, evidence, backend="compiled")
    rows = np.flatnonzero(~found.too_complex)
    assert len(rows) > 1
    parts = []
    for state in range(len(model.risk_priors[age])):
        risks = evidence.risks.copy()
        risks[:, age] = state
        log_evidence, causes, _, status, _ = run(model, replace(evidence, risks=risks))
        rows = np.setdiff1d(rows, np.flatnonzero(status))
        parts.append((np.exp(log_evidence), causes))
    assert len(rows)
    total = sum(weight for weight, _ in parts)
    np.testing.assert_allclose(np.exp(found.log_evidence[rows]), total[rows], rtol=1e-12)
    joint = sum(weight[:, None] * causes for weight, causes in parts)
    right = joint[rows] / total[rows, None]
    np.testing.assert_allclose(found.causes[rows], right, atol=1e-13)


def test_a_dry_run_divides_as_an_answer_does() -> None:
    model, evidence = drawn_forms(0, 40, 0.7)
    refused = too_complex(model, evidence)
    # What one plan refuses is mostly answered in parts.
    assert refused.sum() <= 0.05 * len(evidence)
    whole = complexity._beyond(model, evidence)
    assert (refused <= whole).all()
    assert whole.sum() > refused.sum()


def test_what_is_much_work_is_divided_first_and_answered_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("numba")
    model, evidence = drawn_forms(5, 60, 1.0)
    symptoms = prior_weights(model)
    without = np.random.default_rng(6).random(len(model.causes)) < 0.4
    options = {"symptoms": symptoms, "without": without, "backend": "compiled"}
    whole = posteriors(model, evidence, **options, divide=False)
    assert not whole.too_complex.any()
    parts, divided = [], splitting.answered_in_parts

    def counted(model, evidence, answer, *asks, **options):
        parts.append(int(answer.too_complex.sum()))
        return divided(model, evidence, answer, *asks, **options)

    monkeypatch.setattr(splitting, "answered_in_parts", counted)
    monkeypatch.setattr(query, "EASY_WORK", 1 << 11)
    found = posteriors(model, evidence, **options)
    # Many are divided; parts that are not easy either are asked all the same.
    assert len(parts) == 1
    assert parts[0] > 5
    for name in ("log_evidence", "causes", "log_without", "responsible", "credit"):
        one, other = getattr(found, name), getattr(whole, name)
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-12, err_msg=name)
    np.testing.assert_array_equal(found.status, whole.status)
