"""Evidence and questions that engines get wrong, each put to each engine in a child of its own.

What an engine answers is told as it is, with what is true beside it: nothing is said of a peer
that it did not do in this run.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from children import child_job, peak_mb, run_child, tell
from networks import FloatArray, StateArray, frame, hidden_chain, load
from peers import OURS, PEERS, to_agrum

import bayesdx
from bayesdx.network import Network

#: Asia's table says that "either" is yes exactly if one of the others is.
IMPOSSIBLE = {"either": "yes", "lung": "no", "tub": "no"}
STEPS = 2000
#: Two cases of Asia; of the second nobody knows the X-ray.
CASES = {"smoke": ["yes", "yes"], "dysp": ["yes", "yes"], "xray": ["no", None]}
#: Likelihoods of an X-ray that is hard to read.
BLURRED = [0.2, 0.8]
#: Bytes that are not enough for `link` without evidence.
NO_ROOM = 5e8
PREDICT, GUESS = "pgmpy predict_probability", "pgmpy predict"


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


def evidence_case(name: str) -> Callable[[str, int], str]:
    """A question about one row."""

    def ask(engine: str, seed: int) -> str:
        network, states, truth = question(name, seed)
        log_evidence, values = answered(engine, network, states)
        return verdict(log_evidence, values, truth)

    return ask


# ---------------------------------------------------------------- a missing cell


def lung_posterior(network: Network, known: Mapping[str, str]) -> float:
    """P(lung = yes | known) by the sum over all worlds, each table looked up."""
    names = list(network.variables)
    worlds = np.indices([2] * len(names)).reshape(len(names), -1)
    weight = np.ones(worlds.shape[1])
    for name in names:
        family = (*network.parents(name), name)
        weight *= network.table(name)[tuple(worlds[names.index(one)] for one in family)]
    for name, state in known.items():
        weight *= worlds[names.index(name)] == network.variables[name].states.index(state)
    lung = worlds[names.index("lung")] == network.variables["lung"].states.index("yes")
    return float(weight[lung].sum() / weight.sum())


def missing_cell(engine: str, seed: int) -> str:  # noqa: ARG001 - nothing here is drawn
    """Whether a cell that is missing is taken as not known."""
    network, cases = load("asia"), pd.DataFrame(CASES)
    truth = lung_posterior(network, {"smoke": "yes", "dysp": "yes"})
    if engine == OURS:
        got = float(bayesdx.compile_network(network).query(cases).posteriors["lung"][1, 0])
        right = abs(got - truth) < 1e-12
        return f"{'right' if right else 'wrong'}: P(lung) {got:.6f}, truth {truth:.6f}"
    from bayesdx.formats import to_pgmpy

    model = to_pgmpy(network)
    if engine == PREDICT:
        found = model.predict_probability(cases)
        return f"answers: P(lung) {float(found['lung_yes'].iloc[1]):.6f}, truth {truth:.6f}"
    found = model.predict(cases)
    if "xray" in found.columns:
        return f"guesses: says xray = {found['xray'].iloc[1]} of the cell that nobody knows"
    return "answers without the cell"


# ---------------------------------------------------------------- soft evidence


def soft_evidence(engine: str, seed: int) -> str:  # noqa: ARG001
    """Whether the network, and the next answer, are what they were before soft evidence."""
    network = load("asia")
    if engine == OURS:
        plan, digest = bayesdx.compile_network(network), network.digest
        cases = pd.DataFrame({"dysp": ["yes"]})
        before = plan.query(cases).posteriors["lung"].copy()
        plan.query(cases, likelihoods={"xray": [BLURRED]})
        after = plan.query(cases).posteriors["lung"]
        if network.digest == digest and (before == after).all():
            return "right: network and answers unchanged"
        return "wrong: something has changed"
    if engine.startswith("pgmpy"):
        return _soft_pgmpy(PEERS[engine][2], network)
    return _soft_agrum(PEERS[engine][2], network)


def _soft_pgmpy(engine: str, network: Network) -> str:
    import pgmpy.inference
    from pgmpy.factors.discrete import TabularCPD

    from bayesdx.formats import to_pgmpy

    asked = getattr(pgmpy.inference, engine)(to_pgmpy(network))
    nodes = {str(node) for node in asked.model.nodes()}

    def ask(**soft: Any) -> FloatArray:
        found = asked.query(["lung"], evidence={"dysp": "yes"}, show_progress=False, **soft)
        return np.array(found.values)

    before = ask()
    states = {"xray": list(network.variables["xray"].states)}
    likelihood = TabularCPD("xray", 2, [[one] for one in BLURRED], state_names=states)
    ask(virtual_evidence=[likelihood])
    after, added = ask(), {str(node) for node in asked.model.nodes()} - nodes
    if added:
        kept = "the same" if np.abs(before - after).max() < 1e-12 else "others"
        return f"changed: the engine's network has got {sorted(added)}; answers are {kept}"
    return "unchanged" if np.abs(before - after).max() < 1e-12 else "changed: other answers"


def _soft_agrum(engine: str, network: Network) -> str:
    import pyagrum

    net, nodes = to_agrum(network)
    dysp, xray, lung = (nodes[list(network.variables).index(n)] for n in ("dysp", "xray", "lung"))
    asked = getattr(pyagrum, engine)(net)

    def ask() -> FloatArray:
        asked.makeInference()
        return np.array(asked.posterior(lung).toarray())

    asked.addEvidence(dysp, 0)
    before, size = ask(), net.size()
    asked.addEvidence(xray, BLURRED)
    ask()
    asked.eraseEvidence(xray)
    same = np.abs(before - ask()).max() < 1e-12 and net.size() == size
    return "unchanged" if same else "changed"


# ---------------------------------------------------------------- too large


def too_large(engine: str, seed: int) -> str:  # noqa: ARG001
    """The network `link` without any evidence; and what is said where there is no room for it."""
    network = load("link")
    nothing = np.full((1, len(network.variables)), -1, dtype=np.int16)
    start = time.process_time()
    if engine != OURS:
        answered(engine, network, nothing)
        return f"answered in {time.process_time() - start:.1f} s, {peak_mb():,.0f} MB"
    try:
        bayesdx.compile_network(network, memory_limit=NO_ROOM).query(frame(network, nothing))
        refusal = f"not refused with a limit of {NO_ROOM:.0e} bytes"
    except bayesdx.InvalidNetwork as error:
        refusal = f"in {time.process_time() - start:.1f} s refused: {error}"
    start = time.process_time()
    try:
        answered(engine, network, nothing)
    except bayesdx.InvalidNetwork as error:
        return f"refused: {error}"
    return (
        f"answered in {time.process_time() - start:.1f} s, {peak_mb():,.0f} MB; with less room, "
        f"{refusal}"
    )


QUESTIONS: dict[str, Callable[[str, int], str]] = {
    "impossible evidence": evidence_case("impossible evidence"),
    "hidden chain": evidence_case("hidden chain"),
    "missing cell": missing_cell,
    "soft evidence": soft_evidence,
    "link without evidence": too_large,
}


def engines_of(name: str) -> tuple[str, ...]:
    """Who is asked a question; pyAgrum has no tables of cases with missing cells."""
    return (OURS, PREDICT, GUESS) if name == "missing cell" else (OURS, *PEERS)


def measure_hard(seed: int, seconds: float) -> list[dict[str, str]]:
    """What each engine says of what is hard to get right, each within so many seconds."""
    found = []
    for name in QUESTIONS:
        for engine in engines_of(name):
            job = {"question": name, "peer": engine, "seed": seed}
            outcome = run_child("hard.py", job, silence=seconds, total=seconds)
            told = outcome.told("verdict")
            text = told[0]["text"] if told else f"{outcome.status}: {outcome.reason}"
            found.append({"question": name, "engine": engine, "answer": text})
            print(f"{name}: {engine}: {text}", flush=True)
    return found


def main() -> None:
    job: Mapping[str, Any] = child_job()
    try:
        tell("verdict", text=QUESTIONS[job["question"]](job["peer"], job["seed"]))
    except Exception as error:  # noqa: BLE001 - what a library raises is its answer
        tell("verdict", text=f"raises {type(error).__name__}: {str(error).strip()[:120]}")


if __name__ == "__main__":
    main()
