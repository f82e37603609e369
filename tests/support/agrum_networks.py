"""Networks of this project and of pyAgrum, each made from the other, and pyAgrum's answers.

pyAgrum reads probabilities as single precision and does not normalise them; both sides get the
tables normalised here, so that what is compared is the inference alone.
"""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path

import numpy as np
import pyagrum
from numpy.typing import NDArray

from bayesdx.network import Network, TableCPD, Variable

FloatArray = NDArray[np.float64]

#: State names of `child` that pyAgrum's reader refuses, and what they are called here.
REFUSED = {
    ">=7.5": "from_7",
    "<7.5": "below_7",
    "<5": "below_5",
    "5-12": "5_to_12",
    "12+": "above_12",
    "0-3_days": "days_0_3",
    "4-10_days": "days_4_10",
    "11-30_days": "days_11_30",
    "Transp.": "Transp",
    "Asy/Patch": "Asy_Patch",
}


@lru_cache(maxsize=4)
def example(name: str) -> tuple[Network, pyagrum.BayesNet]:
    """One of the networks that pgmpy's wheel carries, in both forms."""
    data = resources.files("pgmpy") / "utils" / "example_models" / f"{name}.bif.gz"
    text = gzip.decompress(data.read_bytes()).decode("utf-8")
    if name == "child":
        for refused, taken in REFUSED.items():
            text = text.replace(refused, taken.replace("5_to_12", "from_5_to_12"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.bif"
        path.write_text(text, encoding="utf-8")
        net = pyagrum.loadBN(str(path))
    for node in net.nodes():
        table = net.cpt(node).toarray()
        net.cpt(node).fillWith((table / table.sum(axis=-1, keepdims=True)).ravel().tolist())
    return from_agrum(net), net


def from_agrum(net: pyagrum.BayesNet) -> Network:
    """Write a pyAgrum network as one of ours."""
    variables, cpds = [], []
    for node in net.topologicalOrder():
        name = net.variable(node).name()
        variables.append(Variable(name, tuple(net.variable(node).labels())))
        # pyAgrum names the child first and the slowest axis last; arrays are the other way round.
        *parents, child = reversed(net.cpt(node).names)
        assert child == name
        cpds.append(TableCPD(name, tuple(parents), net.cpt(node).toarray()))
    return Network(variables, cpds)


def to_agrum(network: Network) -> pyagrum.BayesNet:
    """Write a network of ours in pyAgrum, every family as a table."""
    net = pyagrum.BayesNet()
    for name in network.order:
        states = list(network.variables[name].states)
        net.add(pyagrum.LabelizedVariable(name, name, states))
        for parent in reversed(network.parents(name)):
            net.addArc(parent, name)
        net.cpt(name).fillWith(network.table(name).ravel().tolist())
    return net


def agrum_answer(
    net: pyagrum.BayesNet, evidence: Mapping[str, str | list[float]]
) -> tuple[float, dict[str, FloatArray]]:
    """Log evidence and every posterior of one case; a list is soft evidence."""
    engine = pyagrum.LazyPropagation(net)
    engine.setNumberOfThreads(1)
    engine.setEvidence(dict(evidence))
    engine.makeInference()
    posteriors = {name: engine.posterior(name).toarray() for name in net.names()}
    return float(np.log(engine.evidenceProbability())), posteriors


def sampled_states(network: Network, n: int, rng: np.random.Generator) -> dict[str, NDArray]:
    """Draw n cases from a network by ancestral sampling; state positions."""
    states: dict[str, NDArray] = {}
    for name in network.order:
        table = network.table(name)[tuple(states[parent] for parent in network.parents(name))]
        limits = np.cumsum(np.broadcast_to(table, (n, table.shape[-1])), axis=-1)
        drawn = (rng.random((n, 1)) * limits[:, -1:] > limits).sum(axis=1)
        states[name] = np.minimum(drawn, table.shape[-1] - 1)
    return states
