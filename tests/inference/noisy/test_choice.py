"""Which backend answers: what is sooner done, and never a surprise."""

from collections.abc import Iterator

import numpy as np
import pytest

from bayesdx.inference import NoisyModel, no_evidence
from bayesdx.inference.noisy import choice, jit
from bayesdx.inference.noisy.choice import (
    numpy_effort,
    settled,
    takes_compiled,
)


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bool]]:
    """Whether numba is installed, its code in this process, on disk."""
    found = {"installed": True, "ready": False, "kept": False}
    for name in found:
        monkeypatch.setattr(jit, name, lambda name=name: found[name])
    return found


def test_code_at_hand_is_used_from_one_case_on(
    snapshot_model: NoisyModel, state: dict[str, bool]
) -> None:
    model, one = snapshot_model, no_evidence(snapshot_model, 1)
    assert not takes_compiled("auto", model, one)
    state["ready"] = True
    assert takes_compiled("auto", model, one)
    assert settled("auto", model, 1) == "compiled"
    assert not takes_compiled("numpy", model, one)


def test_loading_and_compiling_are_started_where_they_save_more(
    snapshot_model: NoisyModel, state: dict[str, bool]
) -> None:
    """As the number of cases grows: NumPy, then code from disk, then code made anew."""
    model = snapshot_model
    sizes = [1, 50, 200, 1000, 2047, 2048, 20_000, 200_000, 2_000_000]
    compiling = [settled("auto", model, n) == "compiled" for n in sizes]
    state["kept"] = True
    loading = [settled("auto", model, n) == "compiled" for n in sizes]
    assert loading == sorted(loading)
    assert compiling == sorted(compiling)
    assert 0 < sum(compiling) < sum(loading) < len(sizes)
    state["installed"] = False
    assert settled("auto", model, sizes[-1]) == "numpy"
    assert not takes_compiled("auto", model, no_evidence(model, 1))


def test_effort_grows_with_cases_and_with_what_couples() -> None:
    few, many = (numpy_effort(np.full(n, 18)) for n in (10, 1000))
    assert 10 * few < many < 100 * few
    assert numpy_effort(np.full(10, 30)) > 3 * few
    assert numpy_effort(np.zeros(0, dtype=np.intp)) == 0.0
    assert choice._FEWER < 1.0


def test_compiling_is_said_on_a_terminal_alone(
    state: dict[str, bool], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(jit, "import_module", lambda name: name)
    jit.driver_module()
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    jit.driver_module()
    assert capsys.readouterr().err.startswith("bayesdx: compiling, once")
    state["kept"] = True
    jit.driver_module()
    assert capsys.readouterr().err == ""
