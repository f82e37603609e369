"""Learning the tables of a general network, beside pyAgrum's EM and pgmpy's.

``python benchmarks/speed/learning.py [--network alarm] [--rows 1000] [--missing 0.2]`` prints CPU
time a row and iteration, one thread each, in one run. pyAgrum begins with the same tables and takes
as many iterations; its log likelihood has to be ours to 1e-6 before any time counts. pgmpy's EM
knows no missing cells (its counts are those of complete rows): it and ours are given complete rows
with one variable hidden. Of ours two times are told: of an iteration, and of everything from the
table of words to the network, divided by the iterations.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from networks import FloatArray, frame, load, sampled

import bayesdx
from bayesdx.network import Network, TableCPD

CLOSE = 1e-6
#: Passes of ours that are timed, and of the peers, which are slow.
LONG, PEER_PASSES = 11, 2


def cpu(action: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of a call, and what it returned."""
    begin = time.process_time()
    found = action()
    return time.process_time() - begin, found


def other_start(network: Network, rng: np.random.Generator) -> Network:
    """The same structure with random tables without zeros."""
    cpds = []
    for name in network.variables:
        shape = network.table(name).shape
        table = 0.9 * rng.dirichlet(np.ones(shape[-1]), shape[:-1]) + 0.1 / shape[-1]
        cpds.append(TableCPD(name, network.parents(name), table))
    return Network(network.variables.values(), cpds)


def ours(start: Network, cases: pd.DataFrame, repeats: int = 3) -> tuple[float, float]:
    """Seconds of an iteration, and of all from the table on divided by iterations."""
    best = [math.inf, math.inf]
    for _ in range(repeats):
        plan = bayesdx.compile_network(start)
        for at, passes in enumerate((1, LONG)):
            taken, _ = cpu(lambda n=passes, p=plan: p.learn(cases, iterations=n, tolerance=0.0))
            best[at] = min(best[at], taken)
    return (best[1] - best[0]) / (LONG - 1), best[1] / LONG


def numbered(network: Network, states: Any) -> pd.DataFrame:
    """Rows as state numbers, ? for missing: pyAgrum's reader refuses some names of states."""
    words = np.where(states < 0, "?", states.astype(str))
    return pd.DataFrame(words, columns=list(network.variables))


def agrum_network(network: Network) -> Any:
    """The network in pyAgrum, states numbered."""
    import pyagrum

    net = pyagrum.BayesNet()
    for name, variable in network.variables.items():
        net.add(pyagrum.RangeVariable(name, name, 0, variable.cardinality - 1))
    for name in network.variables:
        for parent in network.parents(name):
            net.addArc(parent, name)
    for name in network.variables:
        tensor, family = net.cpt(name), [*network.parents(name), name]
        axes = [family.index(axis) for axis in reversed(tensor.names)]
        tensor.fillWith(network.table(name).transpose(axes).ravel().tolist())
    return net


def agrum_tables(network: Network, net: Any) -> Network:
    """What pyAgrum has learnt, with our names."""
    cpds = []
    for name in network.variables:
        tensor, family = net.cpt(name), [*network.parents(name), name]
        axes = list(reversed(tensor.names))
        table: FloatArray = np.transpose(tensor.toarray(), [axes.index(one) for one in family])
        cpds.append(TableCPD(name, network.parents(name), table))
    return Network(network.variables.values(), cpds, normalise=True)


def agrum(start: Network, states: Any, cases: pd.DataFrame) -> str:
    """CPU time of pyAgrum's EM a row and iteration, once its log likelihood has been compared."""
    import pyagrum

    pyagrum.setNumberOfThreads(1)
    net = agrum_network(start)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cases.csv"
        numbered(start, states).to_csv(path, index=False)
        learner = pyagrum.BNLearner(str(path), net, ["?"])
        learner.useNoPrior()
        learner.useEM(1e-300, 0.0)
        learner.EMsetMaxIter(PEER_PASSES)
        taken, learnt = cpu(lambda: learner.learnParameters(net))
    passes = learner.EMnbrIterations()
    own = bayesdx.compile_network(start).learn(cases, iterations=passes, tolerance=0.0)
    plan = bayesdx.compile_network(agrum_tables(start, learnt))
    theirs = float(plan.query(cases, targets=[]).log_evidence.sum())
    apart = abs(theirs / own.log_likelihood[-1] - 1.0)
    each = 1e6 * taken / passes / len(cases)
    verdict = "equal" if apart < CLOSE else "NOT EQUAL"
    return f"{each:>10,.1f}  log likelihood {theirs:.6f} after {passes}, {verdict} ({apart:.1e})"


def pgmpy_em(network: Network, cases: pd.DataFrame, hidden: str) -> float:
    """CPU seconds of an iteration of pgmpy's EM with one variable hidden."""
    from pgmpy.models import DiscreteBayesianNetwork
    from pgmpy.parameter_estimator import DiscreteEM

    arrows = [(parent, name) for name in network.variables for parent in network.parents(name)]
    model = DiscreteBayesianNetwork(arrows, latents={hidden})
    model.add_nodes_from([name for name in network.variables if name not in model])
    sizes = {hidden: network.variables[hidden].cardinality}
    em = DiscreteEM(show_progress=False, max_iter=PEER_PASSES, latent_card=sizes, seed=0, atol=0.0)
    return cpu(lambda: em.fit(model, cases))[0] / PEER_PASSES


def main(arguments: list[str] | None = None) -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--network", default="alarm")
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--missing", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-peers", action="store_true")
    given = parser.parse_args(arguments)
    warnings.simplefilter("ignore")  # pgmpy's own
    network, rng = load(given.network), np.random.default_rng(given.seed)
    start = other_start(network, rng)
    states = sampled(network, given.rows, rng)
    seen = np.where(rng.random(states.shape) < given.missing, -1, states)
    cases, whole = frame(network, seen), frame(network, states)
    print(f"{given.network}, {given.rows:,} rows; CPU microseconds a row and iteration")
    print(f"cells missing at random, {given.missing:.0%}")
    print(shown(ours(start, cases), given.rows), flush=True)
    if not given.no_peers:
        print(f"  pyAgrum EM   {agrum(start, seen, cases)}", flush=True)
    parents = [parent for name in network.variables for parent in network.parents(name)]
    hidden = max(network.variables, key=lambda name: (parents.count(name), name))
    known = whole.drop(columns=hidden)
    print(f"complete rows, {hidden} hidden")
    print(shown(ours(start, known), given.rows), flush=True)
    if not given.no_peers:
        found = 1e6 / given.rows * pgmpy_em(network, known, hidden)
        print(f"  pgmpy EM     {found:>10,.1f}", flush=True)


def shown(seconds: tuple[float, float], rows: int) -> str:
    """Both times of ours as a line."""
    step, everything = (1e6 * one / rows for one in seconds)
    return f"  bayesdx      {step:>10,.1f}  with reading and laying out {everything:.1f}"


if __name__ == "__main__":
    main()
