"""Tens of thousands of inputs of nonsense: our own errors only, none over 10 s or 1 GB.

See `tests/support/bounded_inputs.py`, which also runs them by hand, as many as are asked for.
"""

import sys
from pathlib import Path

import pytest
from bounded_inputs import run_bounded

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limits are those of Linux")

#: Of what kind, and how many take a second or two.
KINDS = {"wild_tables": 200, "wild_priors": 100, "wild_networks": 1500}
#: What must come up for the inputs to mean anything, at least so often in a hundred.
SHARES = {
    "wild_tables": {"refused": 30, "scored in part": 2, "frame scored": 5},
    "wild_priors": {"refused": 50, "read": 3},
    "wild_networks": {"refused": 50, "read": 2},
}


def took(kind: str, seed: int, count: int) -> None:
    outcomes = run_bounded(kind, seed, count)
    assert outcomes.total() == count
    assert not outcomes["said nothing"]
    for outcome, share in SHARES[kind].items():
        assert outcomes[outcome] >= share / 100 * count, outcomes


@pytest.mark.parametrize("kind", KINDS)
def test_some_nonsense(kind: str) -> None:
    took(kind, 1, KINDS[kind])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 12))
@pytest.mark.parametrize("kind", KINDS)
def test_twenty_thousand_of_each(kind: str, seed: int) -> None:
    took(kind, seed, 2000)


DEFECTS = {
    "raises": "raise KeyError('cramp')",
    "warns": "import warnings; warnings.warn('deprecated', stacklevel=1)",
    "takes too much": "return str(len(bytearray(3 << 30)))",
    "takes too long": "while True: pass",
    "dies": "import os; os.abort()",
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_the_judge_sees(defect: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take = f"def take(rng):\n    if rng.random() < 0.5: return 'fine'\n    {DEFECTS[defect]}\n"
    (tmp_path / "a_defect.py").write_text(f"{take}def prepare(folder): return take\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    told = "a_defect, seed 1, input [0-9]+, exit (1|-[0-9]+)\n"
    with pytest.raises(AssertionError, match=told):
        run_bounded("a_defect", 1, 50, seconds=1)
