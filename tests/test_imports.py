"""What `import bayesdx` gives, and what it must not cost."""

import subprocess
import sys

import bayesdx

PUBLIC = {
    "BayesdxError",
    "Diagnosis",
    "Engine",
    "Fault",
    "InvalidCase",
    "InvalidKnowledge",
    "InvalidNetwork",
    "load",
    "read_network",
    "write_network",
}


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


def test_public_names() -> None:
    assert set(bayesdx.__all__) >= PUBLIC
    assert len(bayesdx.__all__) == len(set(bayesdx.__all__))
    for name in bayesdx.__all__:
        assert hasattr(bayesdx, name), name


def test_import_leaves_slow_and_optional_libraries_alone() -> None:
    late = ("pgmpy", "torch", "sklearn", "statsmodels", "matplotlib", "dask", "typer", "pyagrum")
    code = f"import sys, bayesdx; print([name for name in {late!r} if name in sys.modules])"
    assert run(code) == "[]"


def test_errors_form_one_tree() -> None:
    for error in (bayesdx.InvalidCase, bayesdx.InvalidKnowledge, bayesdx.InvalidNetwork):
        assert issubclass(error, bayesdx.BayesdxError)
