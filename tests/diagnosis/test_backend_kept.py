"""An engine that is told to answer in NumPy does so, whatever is asked."""

import subprocess
import sys

import pytest

pytest.importorskip("numba", reason="the extra 'fast' is not installed")

PROGRAM = """
import sys
import bayesdx

engine = bayesdx.load(backend="numpy")
case = {"low_back_pain": "present", "age": 41}
engine.diagnose(case).table
engine.explain(case)
engine.next_questions(case)
engine.what_if(case, {"fair_pos": "present"})
engine.intervals(case, draws=20)
engine.surprise(case)
engine.score([case, case])
assert engine.diagnose({"sex": "male", "menstrual_cyclic": "present", "fever": "present"}).clashes
print("numba" in sys.modules)
"""


def test_questions_in_numpy_load_no_numba() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["False"]
