"""A judge from outside: the same network in pyAgrum, answered by its junction tree.

A noisy-OR of forty causes has no table, so each finding is *parent-divorced*: a chain of steps,
each taking in one cause more. Numbers are read from the network's distributions; no formula of the
inference package is used. Two things keep the junction tree small, neither changes an answer:
chains take in causes in one common order, and what an observation says of a step for certain
(nothing of what an absent finding is made of was present) is entered as evidence of that step.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pyagrum
from numpy.typing import NDArray

from bayesdx.inference import Evidence, NoisyModel
from bayesdx.network import CPD, Network, NoisyMaxCPD, NoisyOrCPD, TableCPD

FloatArray = NDArray[np.float64]


class TooWide(Exception):  # noqa: N818 - not an error: the judge declines
    """The junction tree would need more memory than a test may take."""


@dataclass(frozen=True)
class Judged:
    """What pyAgrum says of one case."""

    log_evidence: float
    causes: FloatArray
    groups: dict[str, float]


@dataclass
class _Divorced:
    """A pyAgrum network under construction and what is known of its nodes."""

    net: pyagrum.BayesNet = field(default_factory=pyagrum.BayesNet)
    known: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, states: int, parents: tuple[str, ...], table: FloatArray) -> None:
        """Add a node; the axes of the table are the parents and, last, the node."""
        self.net.add(pyagrum.LabelizedVariable(name, name, states))
        for parent in parents:
            self.net.addArc(parent, name)
        for at in np.ndindex(*table.shape[:-1]):
            place = dict(zip(parents, map(int, at), strict=True))
            self.net.cpt(name)[place or slice(None)] = table[at].tolist()


def judge(
    model: NoisyModel,
    evidence: Evidence,
    row: int,
    groups: Iterable[str] = (),
    widest: float = 20.0,
) -> Judged:
    """Answer one case; findings nobody looked for are barren and left out.

    Asks for all causes and for ``groups``.

    Raises
    ------
    TooWide
        If a clique of the junction tree has more than ``2 ** widest`` cells.
    """
    divorced = _divorced(model, evidence, row)
    targets = list(model.causes)
    for name in groups:
        members = model.network.parents(name)
        _add_or(divorced, NoisyOrCPD(name, members, np.ones(len(members)), 0.0), None, {})
        targets.append(f"{name}:{len(members)}")
    # An engine that has shown its junction tree cannot be asked any more (pyAgrum 3.3): two.
    if _width(_engine(divorced, targets), divorced) > widest:
        raise TooWide
    engine = _engine(divorced, targets)
    engine.makeInference()
    posterior = [float(engine.posterior(name)[1]) for name in targets]
    n_causes = len(model.causes)
    return Judged(
        float(np.log(engine.evidenceProbability())),
        np.array(posterior[:n_causes]),
        dict(zip(groups, posterior[n_causes:], strict=True)),
    )


def _engine(divorced: _Divorced, targets: Iterable[str]) -> pyagrum.LazyPropagation:
    engine = pyagrum.LazyPropagation(divorced.net)
    engine.setNumberOfThreads(1)
    for name, likelihood in divorced.known.items():
        engine.addEvidence(name, likelihood)
    for name in targets:
        engine.addTarget(name)
    return engine


def _width(engine: pyagrum.LazyPropagation, divorced: _Divorced) -> float:
    """log2 of the cells of the largest clique."""
    tree, net = engine.junctionTree(), divorced.net
    cells = [
        sum(np.log2(net.variable(node).domainSize()) for node in tree.clique(number))
        for number in tree.nodes()
    ]
    return max(cells, default=0.0)


def _divorced(model: NoisyModel, evidence: Evidence, row: int) -> _Divorced:
    result, network = _Divorced(), model.network
    for name in network.order:
        cpd = network.cpds[name]
        if isinstance(cpd, TableCPD):
            states = network.variables[name].cardinality
            result.add(name, states, cpd.parents, cpd.values)
    for names, states in ((model.risks, evidence.risks), (model.causes, evidence.causes)):
        for name, state in zip(names, states[row], strict=True):
            if state >= 0:
                size = network.variables[name].cardinality
                result.known[name] = np.eye(size)[state].tolist()
    findings = {
        name: float(p)
        for name, p in zip(model.findings, evidence.findings[row], strict=True)
        if not np.isnan(p)
    }
    levels = {
        name: (int(evidence.lower[row, o]), int(evidence.upper[row, o]))
        for o, name in enumerate(model.ordinals)
    }
    coupling = [name for name, p in findings.items() if p > 0.0]
    coupling += [name for name, (first, _) in levels.items() if first > 0]
    order = _cause_order(network, model.causes, coupling)
    for name, p in findings.items():
        _add_or(result, network.cpds[name], p, order)
    for name, (first, last) in levels.items():
        if (first, last) != (0, network.variables[name].cardinality - 1):
            _add_max(result, network.cpds[name], first, last, order)
    return result


def _cause_order(
    network: Network, causes: Iterable[str], coupling: Iterable[str]
) -> dict[str, int]:
    """Order causes so that few of the findings that couple them are under way at once."""
    left = {name: set(network.parents(name)) for name in coupling}
    order: dict[str, int] = {}
    while left:
        touched = {name: [f for f in left if left[f] & left[name]] for name in left}
        chosen = min(left, key=lambda name: (len(touched[name]), name))
        for cause in sorted(left.pop(chosen) - set(order)):
            order[cause] = len(order)
        for rest in left.values():
            rest.difference_update(order)
    for cause in causes:
        order.setdefault(cause, len(order))
    return order


def _sorted(names: tuple[str, ...], numbers: FloatArray, order: dict[str, int]) -> list:
    return sorted(zip(names, numbers, strict=True), key=lambda pair: order.get(pair[0], 0))


def _add_or(result: _Divorced, cpd: CPD, p: float | None, order: dict[str, int]) -> None:
    """Leak, lowered inhibitor by inhibitor, then raised activator by activator.

    The last step is seen with the likelihoods 1 - p of absent, p of present.
    """
    assert isinstance(cpd, NoisyOrCPD)
    lower = _sorted(cpd.inhibitors, cpd.factors, order)
    raising = _sorted(cpd.activators, cpd.strengths, order)
    last = f"{cpd.child}:0"
    result.add(last, 2, (), np.array([1.0 - cpd.leak, cpd.leak]))
    for i, (name, factor) in enumerate(lower, 1):
        step = f"{cpd.child}:{i}"
        kept = np.array([[0.0, 0.0], [1.0, factor]])
        result.add(step, 2, (last, name), np.stack([1.0 - kept, kept], axis=-1))
        last = step
    parts = [last]
    for i, (name, strength) in enumerate(raising, len(lower) + 1):
        step = f"{cpd.child}:{i}"
        spared = np.array([[1.0, 1.0 - strength], [0.0, 0.0]])
        result.add(step, 2, (last, name), np.stack([spared, 1.0 - spared], axis=-1))
        last = step
        parts.append(step)
    if p is not None:
        result.known[last] = [1.0 - p, p]
    if p == 0.0:
        result.known |= {step: [1.0, 0.0] for step in parts}


def _add_max(result: _Divorced, cpd: CPD, first: int, highest: int, order: dict[str, int]) -> None:
    """The level so far, and what one cause more makes of it."""
    assert isinstance(cpd, NoisyMaxCPD)
    size = len(cpd.leak) + 1
    last = f"{cpd.child}:0"
    result.add(last, size, (), -np.diff([1.0, *cpd.leak, 0.0]))
    at_most = [float(level <= highest) for level in range(size)]
    result.known[last] = at_most
    for i, (name, strengths) in enumerate(_sorted(cpd.parents, cpd.strengths, order), 1):
        table = np.zeros((size, 2, size))
        for level in range(size):
            table[level, 0, level] = 1.0
            exceed = np.where(np.arange(size - 1) < level, 1.0, strengths)
            table[level, 1] = -np.diff([1.0, *exceed, 0.0])
        step = f"{cpd.child}:{i}"
        result.add(step, size, (last, name), table)
        last = step
        result.known[last] = at_most
    result.known[last] = [float(first <= level <= highest) for level in range(size)]
