"""Evidence that engines get wrong: impossible, far below the smallest double, missing cells.

Run by `report.py` in a child, one engine and one question at a time; what it answers is told as it
is, with what is true beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from children import child_job, tell
from networks import FloatArray, StateArray, frame, hidden_chain, load
from peers import OURS, PEERS

import bayesdx
from bayesdx.network import Network

#: Asia's table says that "either" is yes exactly if one of the others is.
IMPOSSIBLE = {"either": "yes", "lung": "no", "tub": "no"}
STEPS = 2000
QUESTIONS = ("impossible evidence", "hidden chain")


def question(name: str, seed: int) -> tuple[Network, StateArray, float]:
    """A network, one row, and its true log evidence."""
    if name == "impossible evidence":
        network = load("asia")
        states = np.full((1, len(network.variables)), -1, dtype=np.int16)
        for v, (variable, one) in enumerate(network.variables.items()):
            if variable in IMPOSSIBLE:
                states[0, v] = one.states.index(IMPOSSIBLE[variable])
        return network, states, -math.inf
    network, seen, log_evidence = hidden_chain(STEPS, seed)
    states = np.full((1, len(network.variables)), -1, dtype=np.int16)
    states[0, 1::2] = seen
    return network, states, log_evidence


def answered(peer: str, network: Network, states: StateArray) -> tuple[float, FloatArray]:
    """Log evidence and posteriors, as the engine gives them."""
    if peer == OURS:
        answer = bayesdx.compile_network(network).query(frame(network, states))
        values = np.concatenate(list(answer.posteriors.values()), axis=1)[0]
        return float(answer.log_evidence[0]), values
    kind, _, engine = PEERS[peer]
    one = kind(network, engine)
    return one.read(one.ask(one.prepare(states, 0)))


def verdict(log_evidence: float, values: FloatArray, truth: float) -> str:
    """Say in words whether an answer is right."""
    if np.isnan(values).any():
        return "wrong: NaN among the posteriors"
    said = np.any(values > 0.0)
    if math.isinf(truth):
        if log_evidence == truth and not said:
            return "right: impossible, no posteriors"
        prefix = "probability 0, but " if log_evidence == truth else ""
        return f"wrong: {prefix}posteriors of an impossible case" if said else "no answer"
    if math.isnan(log_evidence):
        return "posteriors, no log evidence"
    off = abs(log_evidence - truth)
    if off > 1e-9 * abs(truth):
        return f"wrong: log evidence {log_evidence:.6g} instead of {truth:.6g}"
    return f"right: log evidence {log_evidence:.6g}, off by {off:.1e}"


def main() -> None:
    job: Mapping[str, Any] = child_job()
    try:
        network, states, truth = question(job["question"], job["seed"])
        log_evidence, values = answered(job["peer"], network, states)
        tell("verdict", text=verdict(log_evidence, values, truth))
    except Exception as error:  # noqa: BLE001 - what a library raises is its answer
        tell("verdict", text=f"raises {type(error).__name__}: {str(error).strip()[:120]}")


if __name__ == "__main__":
    main()
