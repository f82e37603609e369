"""The engines beside which bayesdx is measured, and how a row is asked of one.

A peer takes one row at a time, in three steps of which only the second is timed: ``prepare``
(whatever could have been made before), ``ask`` (evidence entered, inference, every posterior
fetched) and ``read`` (turned into arrays).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from networks import FloatArray, StateArray, divorced

from bayesdx.inference import Evidence, NoisyModel
from bayesdx.network import Network

#: Rows after which a peer that takes longer than so many seconds a row is asked no more.
FEWEST, SLOW = 5, 0.1
#: Wall seconds for each second of time that a peer may take, conversion included.
SLACK = 3.0


class RowPeer(Protocol):
    """An engine that answers one row at a time."""

    def prepare(self, rows: Any, row: int) -> Any:
        """Make what could have been made before the row was known; not timed."""

    def ask(self, prepared: Any) -> Any:
        """Enter the evidence, infer, fetch all posteriors; timed."""

    def read(self, raw: Any) -> tuple[float, FloatArray]:
        """Log evidence (NaN if the engine has none) and posteriors one after another."""


@dataclass
class Asked:
    """Answers and seconds of the rows that were asked so far."""

    log_evidence: list[float] = field(default_factory=list)
    values: list[FloatArray] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def arrays(self) -> tuple[FloatArray, FloatArray]:
        """Log evidence (N,) and posteriors (N, T); NaN in the rows that were not answered."""
        width = max((len(one) for one in self.values), default=0)
        filled = [one if len(one) else np.full(width, np.nan) for one in self.values]
        return np.array(self.log_evidence), np.array(filled).reshape(len(filled), width)

    def save(self, path: Path) -> None:
        """Write the answers; a reader never sees half a file."""
        log_evidence, values = self.arrays()
        part = path.with_suffix(".part.npz")
        np.savez(part, values=values, log_evidence=log_evidence)
        part.replace(path)


def ask_rows(
    peer: RowPeer,
    rows: Any,
    n: int,
    seconds: float,
    told: Callable[[Asked], None] = lambda _: None,
) -> Asked:
    """Ask row after row until all are answered or the seconds are spent; at least one.

    An engine that is slow gets few rows, which stand for all: its time hardly varies.
    """
    result = Asked()
    end = time.monotonic() + SLACK * seconds
    for row in range(n):
        spent, log_evidence, values = math.nan, math.nan, np.zeros(0)
        try:
            prepared = peer.prepare(rows, row)
            start = time.process_time()
            raw = peer.ask(prepared)
            spent = time.process_time() - start
            log_evidence, values = peer.read(raw)
        except Exception as error:  # noqa: BLE001 - a peer may raise anything; it is reported
            result.failures.append(f"{type(error).__name__}: {str(error).strip()[:200]}")
            spent = math.nan
        result.seconds.append(spent)
        result.log_evidence.append(log_evidence)
        result.values.append(values)
        told(result)
        if np.nansum(result.seconds) > seconds or time.monotonic() > end:
            break
        answered = np.array(result.seconds)[~np.isnan(result.seconds)]
        if len(answered) >= FEWEST and np.median(answered) > SLOW:
            break
    return result


# ---------------------------------------------------------------- pyAgrum


def to_agrum(network: Network) -> tuple[Any, list[int]]:
    """Write a network in pyAgrum in memory, in double precision; and the node of each variable.

    Not by way of a file: pyAgrum reads BIF in single precision and refuses some state names.
    States are numbered, so that no name can be refused.
    """
    import pyagrum

    net = pyagrum.BayesNet()
    node: dict[str, int] = {}
    for v, name in enumerate(network.variables):
        node[name] = net.add(
            pyagrum.LabelizedVariable(f"v{v}", "", network.variables[name].cardinality)
        )
    for name in network.variables:
        # pyAgrum's slowest axis is the parent added last.
        for parent in reversed(network.parents(name)):
            net.addArc(node[parent], node[name])
        net.cpt(node[name]).fillWith(network.table(name).ravel().tolist())
    return net, list(node.values())


class Agrum:
    """pyAgrum on a fixed network, evidence changed in place; all variables asked for, or some."""

    def __init__(self, network: Network, engine: str, targets: Sequence[int] | None = None) -> None:
        import pyagrum

        self.net, self.nodes = to_agrum(network)
        self.cards = [variable.cardinality for variable in network.variables.values()]
        self.engine = getattr(pyagrum, engine)(self.net)
        self.engine.setNumberOfThreads(1)
        self.states: list[int] = [-1] * len(self.cards)
        self.targets = list(range(len(self.cards)) if targets is None else targets)
        for v in targets or ():
            self.engine.addTarget(self.nodes[v])

    def prepare(self, rows: StateArray, row: int) -> list[int]:
        return [int(state) for state in rows[row]]

    def ask(self, prepared: list[int]) -> list[Any]:
        engine = self.engine
        for node, before, now in zip(self.nodes, self.states, prepared, strict=True):
            if before != now:
                if now < 0:
                    engine.eraseEvidence(node)
                elif before < 0:
                    engine.addEvidence(node, now)
                else:
                    engine.chgEvidence(node, now)
        self.states = prepared
        engine.makeInference()
        return [engine.posterior(self.nodes[v]) for v in self.targets if prepared[v] < 0]

    def read(self, raw: list[Any]) -> tuple[float, FloatArray]:
        tensors = iter(raw)
        parts = [
            next(tensors).toarray() if state < 0 else np.eye(self.cards[v])[state]
            for v, state in ((v, self.states[v]) for v in self.targets)
        ]
        return agrum_log_evidence(self.engine), np.concatenate(parts)


class AgrumDivorced:
    """pyAgrum on the packaged knowledge: a network a case, made before the clock starts."""

    #: log2 of the cells of a clique that would take minutes and gigabytes.
    WIDEST = 24.0

    def __init__(self, model: NoisyModel, engine: str) -> None:
        self.model, self.kind = model, engine

    def prepare(self, rows: Evidence, row: int) -> tuple[Any, list[tuple[int, int]], list[int]]:
        import pyagrum

        case = divorced(self.model, rows, row)
        net, nodes = to_agrum(case.network)
        node = dict(zip(case.network.variables, nodes, strict=True))
        known = [(node[name], state) for name, state in case.known.items()]
        causes = [node[name] for name in self.model.causes]
        # An engine that has shown its junction tree cannot be asked any more (pyAgrum 3.3): two.
        looked_at = self._engine(pyagrum.LazyPropagation(net), causes)
        for one, state in known:
            looked_at.addEvidence(one, state)
        tree = looked_at.junctionTree()
        cells = [
            sum(math.log2(net.variable(one).domainSize()) for one in tree.clique(number))
            for number in tree.nodes()
        ]
        if max(cells, default=0.0) > self.WIDEST:
            raise ValueError(f"a clique of 2 ** {max(cells):.0f} cells")
        return self._engine(getattr(pyagrum, self.kind)(net), causes), known, causes

    def _engine(self, engine: Any, causes: list[int]) -> Any:
        engine.setNumberOfThreads(1)
        for node in causes:
            engine.addTarget(node)
        return engine

    def ask(self, prepared: tuple[Any, list[tuple[int, int]], list[int]]) -> tuple[Any, list[Any]]:
        engine, known, causes = prepared
        for node, state in known:
            engine.addEvidence(node, state)
        engine.makeInference()
        return engine, [engine.posterior(node) for node in causes]

    def read(self, raw: tuple[Any, list[Any]]) -> tuple[float, FloatArray]:
        engine, tensors = raw
        present = np.array([tensor.toarray()[1] for tensor in tensors])
        return agrum_log_evidence(engine), present


def agrum_log_evidence(engine: Any) -> float:
    """Log evidence; NaN of the engine that does not know it, VariableElimination."""
    if not hasattr(engine, "evidenceProbability"):
        return math.nan
    probability = engine.evidenceProbability()
    return math.log(probability) if probability > 0.0 else -math.inf


# ---------------------------------------------------------------- pgmpy


class Pgmpy:
    """pgmpy, one query a variable: asked for several at once it builds their joint table."""

    def __init__(self, network: Network, engine: str) -> None:
        import pgmpy.inference

        from bayesdx.formats import to_pgmpy

        self.network = network
        self.engine = getattr(pgmpy.inference, engine)(to_pgmpy(network))
        if engine == "BeliefPropagation":
            self.engine.calibrate()

    def prepare(self, rows: StateArray, row: int) -> dict[str, str]:
        return {
            name: variable.states[state]
            for (name, variable), state in zip(
                self.network.variables.items(), rows[row], strict=True
            )
            if state >= 0
        }

    def ask(self, prepared: dict[str, str]) -> tuple[dict[str, str], dict[str, Any]]:
        found = {
            name: self.engine.query([name], evidence=prepared, show_progress=False)
            for name in self.network.variables
            if name not in prepared
        }
        return prepared, found

    def read(self, raw: tuple[dict[str, str], dict[str, Any]]) -> tuple[float, FloatArray]:
        known, found = raw
        parts = []
        for name, variable in self.network.variables.items():
            if name in known:
                parts.append(np.array([float(s == known[name]) for s in variable.states]))
            else:
                named = dict(zip(found[name].state_names[name], found[name].values, strict=True))
                parts.append(np.array([float(named[state]) for state in variable.states]))
        return math.nan, np.concatenate(parts)


class PgmpyDivorced:
    """pgmpy on the packaged knowledge, divorced as for pyAgrum."""

    def __init__(self, model: NoisyModel, engine: str) -> None:
        self.model, self.kind = model, engine

    def prepare(self, rows: Evidence, row: int) -> tuple[Pgmpy, dict[str, str]]:
        case = divorced(self.model, rows, row)
        known = {
            name: case.network.variables[name].states[state] for name, state in case.known.items()
        }
        return Pgmpy(case.network, self.kind), known

    def ask(self, prepared: tuple[Pgmpy, dict[str, str]]) -> dict[str, Any]:
        peer, known = prepared
        return {
            name: peer.engine.query([name], evidence=known, show_progress=False)
            for name in self.model.causes
        }

    def read(self, raw: Mapping[str, Any]) -> tuple[float, FloatArray]:
        return math.nan, np.array([float(raw[name].values[1]) for name in self.model.causes])


#: Name in the tables -> (class for any network, class for the packaged knowledge, engine).
PEERS: dict[str, tuple[Any, Any, str]] = {
    "pyAgrum ShaferShenoy": (Agrum, AgrumDivorced, "ShaferShenoyInference"),
    "pyAgrum Lazy": (Agrum, AgrumDivorced, "LazyPropagation"),
    "pyAgrum VE": (Agrum, AgrumDivorced, "VariableElimination"),
    "pgmpy VE": (Pgmpy, PgmpyDivorced, "VariableElimination"),
    "pgmpy BP": (Pgmpy, PgmpyDivorced, "BeliefPropagation"),
}
OURS = "bayesdx"
