"""The coverage study: its arithmetic by hand, and a small run of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scripts import BENCHMARKS, scripts
from small_priors import SMALL, write_priors

import bayesdx

FOLDER = BENCHMARKS / "quality"
MODULES = ("metrics", "noise", "simulated", "interval_coverage", "figures")


@pytest.fixture(scope="module")
def modules() -> Iterator[dict[str, Any]]:
    pytest.importorskip("matplotlib")
    with scripts(FOLDER, MODULES) as read:
        yield vars(read)


def _quiet(_text: str) -> None:
    pass


def test_shares_are_over_truths(modules: dict[str, Any]) -> None:
    # Three truths, two cases, two causes; the last cause of the last case is not looked at.
    covered = np.array([[[1, 1], [1, 0]], [[1, 0], [1, 0]], [[1, 1], [0, 0]]], dtype=bool)
    chosen = np.array([[True, True], [True, False]])
    share = modules["interval_coverage"]._share(covered, chosen)
    assert share["share"] == pytest.approx((1.0 + 2 / 3 + 2 / 3) / 3)
    assert share["error"] == pytest.approx(np.std([1.0, 2 / 3, 2 / 3], ddof=1) / np.sqrt(3))
    assert np.isnan(
        modules["interval_coverage"]._share(covered, np.zeros((2, 2), dtype=bool))["share"]
    )


def test_a_small_study(modules: dict[str, Any], tmp_path: Path) -> None:
    coverage = modules["interval_coverage"]
    engine = bayesdx.load(write_priors(tmp_path, SMALL))
    extent = coverage.Extent(assembled=4, drawn=1000, cases=6, draws=1000)
    part = coverage.study(engine, extent, 0, _quiet)
    # Truths that are answered as the draws are come from the same distribution.
    assert part["overall"]["drawn"]["share"] == pytest.approx(0.9, abs=0.03)
    assert 0.5 <= part["overall"]["assembled"]["share"] <= 1.0
    again = coverage.study(engine, extent, 0, _quiet)
    assert part == again or np.isnan(part["by_size"][0]["drawn"]["share"])
    assert "Self-consistency" in coverage.markdown(part)
    figure = modules["figures"].coverage(part)
    assert figure.axes[0].get_title().startswith("Simulated truths, not patients")
