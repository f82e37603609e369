"""What `import bayesdx` gives, and what it must not cost."""

import subprocess
import sys

import pytest

import bayesdx

#: Everything that is promised, and nothing else.
PUBLIC = {
    "CompiledMarkov",
    "MarkovFactor",
    "MarkovNetwork",
    "Relevance",
    "Renaming",
    "compile_markov",
    "read_markov_network",
    "read_uai_evidence",
    "AnyOfCPD",
    "BayesdxError",
    "CaseExplanations",
    "CaseOutcome",
    "CaseStatistics",
    "CausalTable",
    "Certificate",
    "CompiledNetwork",
    "Diagnosis",
    "Drift",
    "Engine",
    "Explanation",
    "Fault",
    "Flips",
    "Intervals",
    "InvalidCase",
    "InvalidKnowledge",
    "InvalidNetwork",
    "JointAnswer",
    "Learned",
    "LearnedNetwork",
    "Network",
    "ManyAnswers",
    "NetworkAnswer",
    "NextQuestions",
    "NextRound",
    "NoisyMaxCPD",
    "NoisyOrCPD",
    "Profile",
    "RedFlagHit",
    "Surprise",
    "TableCPD",
    "TextHit",
    "TooComplex",
    "TriageHit",
    "AskFirst",
    "Turning",
    "TurningPoints",
    "Variable",
    "WhatIf",
    "__version__",
    "compile_network",
    "fit",
    "from_pgmpy",
    "load",
    "plot_tornado",
    "read_network",
    "read_profile",
    "to_pgmpy",
    "write_network",
}


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


def test_public_names() -> None:
    assert set(bayesdx.__all__) == PUBLIC
    assert len(bayesdx.__all__) == len(set(bayesdx.__all__))
    for name in bayesdx.__all__:
        assert hasattr(bayesdx, name), name


def test_import_leaves_slow_and_optional_libraries_alone() -> None:
    late = ("pgmpy", "torch", "sklearn", "statsmodels", "matplotlib", "dask", "typer", "pyagrum")
    code = f"import sys, bayesdx; print([name for name in {late!r} if name in sys.modules])"
    assert run(code) == "[]"


def test_import_and_help_cost_next_to_nothing() -> None:
    heavy = ("numpy", "pandas", "scipy", "pydantic", "pyarrow", "rich", "numba")
    code = "import sys, bayesdx\n"
    show = f"print([name for name in {heavy!r} if name in sys.modules])"
    assert run(code + show) == "[]"
    helped = (
        "from contextlib import redirect_stdout; import io; from bayesdx.cli import main\n"
        "with redirect_stdout(io.StringIO()): code = main(['--help'])\n"
        "assert code == 0\n"
    )
    assert run(code + helped + show.replace("'numpy', ", "").replace("'rich', ", "")) == "[]"


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="module 'bayesdx' has no attribute 'lode'"):
        bayesdx.lode  # noqa: B018 - the access is what is tested


def test_errors_form_one_tree() -> None:
    for error in (bayesdx.InvalidCase, bayesdx.InvalidKnowledge, bayesdx.InvalidNetwork):
        assert issubclass(error, bayesdx.BayesdxError)
