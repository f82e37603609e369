"""The modules of the speed benchmark, which is no package: its scripts import their neighbours."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import bayesdx
from bayesdx.inference import DiagnosisModel

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "speed"
#: In the order in which they need each other; figures is read by the report itself.
MODULES = (
    "children",
    "networks",
    "sizes",
    "growing",
    "resuming",
    "judging",
    "peers",
    "asking",
    "hard",
    "growth",
    "writing",
    "report",
)


def read_module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # The modules import each other by their bare names, as a script's neighbours do.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def s() -> Iterator[Any]:
    """The modules of the benchmark, for as long as this file's tests run."""
    before = {name: sys.modules.pop(name, None) for name in (*MODULES, "figures")}
    sys.path.insert(0, str(FOLDER))
    yield SimpleNamespace(**{name: read_module(name) for name in MODULES})
    sys.path.remove(str(FOLDER))
    for name, module in before.items():
        sys.modules.pop(name, None)
        if module is not None:
            sys.modules[name] = module


@pytest.fixture(scope="module")
def asia(s: Any) -> Any:
    """Asia, twenty rows, and what bayesdx says of them."""
    network = s.networks.load("asia")
    rows = s.networks.batches(network, "random", (1, 20), 0)[0]
    answer = bayesdx.compile_network(network).query(s.networks.frame(network, rows))
    return SimpleNamespace(network=network, rows=rows, ours=s.asking.read_ours(answer, None))


@pytest.fixture(scope="module")
def model() -> DiagnosisModel:
    """The packaged knowledge."""
    return bayesdx.load().assembly.model
