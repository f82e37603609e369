"""What is slow to build and the same for all tests."""

import pytest
from snapshot_network import snapshot_model as build_snapshot

from bayesdx.building.assembly import Assembly, assemble
from bayesdx.inference import NoisyModel
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.reading import read_knowledge


@pytest.fixture(scope="session")
def real_knowledge() -> Knowledge:
    """The priors folder of the project."""
    return read_knowledge()


@pytest.fixture(scope="session")
def real_assembly(real_knowledge: Knowledge) -> Assembly:
    """The network of the project, compiled."""
    return assemble(real_knowledge)


@pytest.fixture(scope="session")
def snapshot_model() -> NoisyModel:
    """A network of real size for tests of arithmetic: what it costs stays as it is."""
    return build_snapshot()
