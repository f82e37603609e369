"""Small numbers keep their digits: rare events are answered as exactly as common ones."""

from fractions import Fraction

import numpy as np
import pytest
from oracle import enumerate_case
from small_networks import cause, compiled, seen

from bayesdx.inference import Evidence, NoisyModel, compile_diagnosis, no_evidence, posteriors
from bayesdx.network import Network, NoisyMaxCPD, NoisyOrCPD, Variable

EXACT = 1e-12
SIZES = [1e-2, 1e-4, 1e-6, 1e-9, 1e-14, 1e-17, 1e-40]


def agrees(model: NoisyModel, evidence: Evidence) -> None:
    """Compare with enumeration, every posterior relative to its own size."""
    answer, truth = posteriors(model, evidence), enumerate_case(model, evidence, 0)
    assert answer.log_evidence[0] == pytest.approx(np.log(truth.evidence), rel=0, abs=EXACT)
    np.testing.assert_allclose(answer.causes[0], truth.causes / truth.evidence, rtol=EXACT)


@pytest.mark.parametrize("size", SIZES)
def test_small_priors(size: float) -> None:
    model = compiled(
        cause("a", size),
        cause("b", 3 * size),
        NoisyOrCPD("f", ("a", "b"), np.array([0.5, 0.25]), 0.0),
        NoisyOrCPD("g", ("a",), np.array([0.5]), 0.1, ("b",), np.array([0.5])),
    )
    agrees(model, seen(model, f=1.0, g=1.0))
    agrees(model, seen(model, f=0.0, g=1.0))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("leak", [0.0, 0.25], ids=["no leak", "leak"])
def test_small_links_and_leaks(size: float, leak: float) -> None:
    """1 - (1 - z) is not z."""
    model = compiled(
        cause("a", 0.3),
        cause("b", 0.2),
        NoisyOrCPD("f", ("a", "b"), np.array([size, 3 * size]), leak * size),
        NoisyOrCPD("g", ("a",), np.array([size]), leak * size, ("b",), np.array([0.5])),
    )
    agrees(model, seen(model, f=1.0))
    agrees(model, seen(model, g=1.0))
    agrees(model, seen(model, f=1.0, g=1.0))


@pytest.mark.parametrize("size", SIZES)
def test_small_exceedances(size: float) -> None:
    strengths = size * np.array([[0.9, 0.5, 0.01], [0.3, 0.2, 0.1]])
    variables = [Variable("a"), Variable("b"), Variable("o", ("none", "some", "more", "most"))]
    levels = NoisyMaxCPD("o", ("a", "b"), strengths, size * np.array([0.05, 0.02, 0.01]))
    model = compile_diagnosis(Network(variables, [cause("a", 0.3), cause("b", 0.2), levels]))
    for first, last in ((1, 1), (1, 2), (1, 3), (2, 2), (2, 3), (3, 3)):
        evidence = no_evidence(model, 1)
        evidence.lower[0], evidence.upper[0] = first, last
        agrees(model, evidence)


@pytest.mark.parametrize("size", SIZES)
def test_links_that_hardly_ever_fail(size: float) -> None:
    kept = max(size, 1e-16)
    model = compiled(
        cause("a", 0.3),
        cause("b", 0.2),
        NoisyOrCPD("f", ("a", "b"), np.array([1.0 - kept, 0.5]), 0.1),
        NoisyOrCPD("g", ("a", "b"), np.array([0.5, 1.0 - kept]), 0.1),
    )
    agrees(model, seen(model, f=0.0, g=1.0))
    agrees(model, seen(model, f=0.0, g=0.0))


@pytest.mark.parametrize("doubt", [1e-2, 1e-6, 1e-12, 1e-17])
def test_soft_evidence_against_a_finding_that_is_nearly_always_there(doubt: float) -> None:
    """Absent, all but surely; only an inhibitor as rare as the doubt can explain it."""
    model = compiled(
        cause("a", 0.5),
        cause("b", doubt),
        NoisyOrCPD("f", ("a",), np.array([0.25]), 1.0, ("b",), np.array([0.5])),
        NoisyOrCPD("g", ("a", "b"), np.array([0.5, 0.5]), 0.1),
    )
    agrees(model, seen(model, f=doubt, g=1.0))


@pytest.mark.parametrize(
    ("n_findings", "size"),
    [
        (3, 1e-2),
        (12, 1e-2),
        (3, 1e-60),
        (12, 1e-60),
    ],
)
def test_many_rare_findings_with_the_same_causes(n_findings: int, size: float) -> None:
    """The last one is rarer than the smallest double."""
    model = compiled(
        cause("a", 0.5),
        cause("b", 0.25),
        *(
            NoisyOrCPD(f"f{i}", ("a", "b"), np.array([2 * size, size]), size)
            for i in range(n_findings)
        ),
    )
    z = Fraction(size)
    weights = {
        (a, b): Fraction(1, 8)
        * (1 if b else 3)
        * (1 - (1 - z) * (1 - 2 * z * a) * (1 - z * b)) ** n_findings
        for a in (0, 1)
        for b in (0, 1)
    }
    mass = sum(weights.values())
    right = np.log(float(mass / z**n_findings)) + n_findings * np.log(size)
    shares = [float(sum(w for state, w in weights.items() if state[i]) / mass) for i in (0, 1)]
    answer = posteriors(model, seen(model, **{f"f{i}": 1.0 for i in range(n_findings)}))
    assert answer.log_evidence[0] == pytest.approx(right, rel=EXACT)
    np.testing.assert_allclose(answer.causes[0], shares, atol=EXACT)


@pytest.mark.parametrize("tiny", [1e-300, 1e-308])
def test_evidence_as_rare_as_the_smallest_double(tiny: float) -> None:
    """One over such a number is infinite."""
    model = compiled(cause("a", 0.5), NoisyOrCPD("f", ("a",), np.array([0.5]), 0.0))
    answer = posteriors(model, seen(model, f=tiny))
    assert answer.possible[0]
    assert np.isfinite(answer.causes).all()
    model = compiled(cause("a", tiny), NoisyOrCPD("f", ("a",), np.array([0.5]), 0.0))
    answer = posteriors(model, seen(model, f=1.0))
    assert answer.log_evidence[0] == pytest.approx(np.log(tiny) + np.log(0.5), rel=EXACT)
    assert answer.causes[0, 0] == pytest.approx(1.0, abs=EXACT)
