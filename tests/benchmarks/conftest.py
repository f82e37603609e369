"""The modules of the speed benchmark, which is no package: its scripts import their neighbours."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from scripts import BENCHMARKS, scripts

import bayesdx
from bayesdx.inference import NoisyModel

FOLDER = BENCHMARKS / "speed"
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


@pytest.fixture(scope="module")
def s() -> Iterator[Any]:
    """The modules of the benchmark, for as long as this file's tests run."""
    with scripts(FOLDER, MODULES) as modules:
        yield modules


@pytest.fixture(scope="module")
def asia(s: Any) -> Any:
    """Asia, twenty rows, and what bayesdx says of them."""
    network = s.networks.load("asia")
    rows = s.networks.batches(network, "random", (1, 20), 0)[0]
    answer = bayesdx.compile_network(network).query(s.networks.frame(network, rows))
    return SimpleNamespace(network=network, rows=rows, ours=s.asking.read_ours(answer, None))


@pytest.fixture(scope="module")
def model(snapshot_model: NoisyModel) -> NoisyModel:
    """A network of real size."""
    return snapshot_model
