"""Every public function and method says what it takes and gives, with an example that runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import bayesdx

ENGINE = Path(bayesdx.__file__).parent
#: Exceptions, and distributions, which answer to a protocol that says what their methods do.
NOT_HERE = ("AnyOfCPD", "NoisyMaxCPD", "NoisyOrCPD", "TableCPD")


def public() -> Iterator[tuple[str, Any]]:
    """Functions of bayesdx, and methods of its classes that bayesdx itself defines."""
    for name in bayesdx.__all__:
        value = getattr(bayesdx, name)
        if inspect.isfunction(value):
            yield name, value
        elif inspect.isclass(value) and not issubclass(value, Exception) and name not in NOT_HERE:
            for method in dir(value):
                # What overrides a method is described where it was first defined.
                first = [base for base in value.__mro__ if method in vars(base)][-1]
                found = vars(first)[method]
                if inspect.isfunction(found) and not method.startswith("_"):
                    yield f"{name}.{method}", found


#: Modules with examples; what is named in `PUBLIC` is run there.
MODULES = [
    ".".join(path.relative_to(ENGINE.parent).with_suffix("").parts)
    for path in sorted(ENGINE.rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]
PUBLIC = {f"{found.__module__}.{found.__qualname__}": found for _, found in public()}


@pytest.mark.parametrize("name", PUBLIC)
def test_docstrings_are_whole(name: str) -> None:
    found = PUBLIC[name]
    text = inspect.getdoc(found) or ""
    taken = [one for one in inspect.signature(found).parameters if one != "self"]
    assert "\nExamples\n--------\n>>> " in text
    assert ("\nParameters\n----------\n" in text) == bool(taken)
    for one in taken:
        assert f"\n{one}" in text or f", {one}" in text, one
    returns = inspect.signature(found).return_annotation
    assert ("\nReturns\n-------\n" in text) == (returns not in (None, "None"))


@pytest.fixture
def ready(engine: bayesdx.Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work in a folder of its own; reading the packaged knowledge once is enough."""
    load = bayesdx.load
    monkeypatch.setattr(bayesdx, "load", lambda **other: load(**other) if other else engine)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("ready")
@pytest.mark.parametrize("name", PUBLIC)
def test_examples_run(name: str) -> None:
    if "pgmpy" in name:
        pytest.importorskip("pgmpy")
    if "plot" in name:
        pytest.importorskip("matplotlib").use("agg")
    failed = failures(doctest.DocTestFinder(recurse=False).find(PUBLIC[name], name, globs={}))
    if "plot" in name:
        from matplotlib import pyplot as plt

        plt.close("all")
    assert failed == 0


@pytest.mark.usefixtures("ready")
@pytest.mark.parametrize("name", MODULES)
def test_examples_of_every_other_docstring_run(name: str) -> None:
    found = doctest.DocTestFinder().find(importlib.import_module(name))
    # A method that is made of a function of the module has its docstring, and is public.
    public_too = [one for one in found if "._" not in one.name and one.name not in PUBLIC]
    assert failures(public_too) == 0


def failures(tests: Iterable[doctest.DocTest]) -> int:
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in tests:
        runner.run(test)
    return runner.summarize(verbose=False).failed
