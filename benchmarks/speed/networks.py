"""The networks that are measured, the rows that are asked of them, and other forms of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import bayesdx
from bayesdx.inference import Evidence, NoisyModel, no_evidence
from bayesdx.inference.noisy.sampling import observe, sample_cases
from bayesdx.network import CPD, Network, NoisyMaxCPD, NoisyOrCPD, TableCPD, Variable

FloatArray = NDArray[np.float64]
StateArray = NDArray[np.int16]

#: The packaged knowledge; everything else is a file of pgmpy's wheel.
DEFAULT = "default"
QUICK = (
    DEFAULT,
    *("asia", "child", "alarm", "insurance", "hailfinder", "hepar2", "win95pts", "water"),
)
NAMES = (
    *QUICK,
    *("pathfinder", "andes", "pigs", "mildew", "barley", "diabetes"),
    *("munin", "munin1", "munin2", "munin3", "munin4", "link"),
)
#: Networks as large as two of CPCS (Pradhan et al. 1994), whose files no package carries: nodes,
#: links, most parents.
LIKE_CPCS = {"cpcs360_like": (360, 729, 11), "cpcs422_like": (422, 867, 17)}
#: Of a variable of such a network: earlier ones of its organ that may be its parents, and the share
#: of parents that are any others.
NEAR, FAR = 16, 0.06
#: The share of the variables that is observed.
OBSERVED = 0.20
SHAPES = ("fixed", "random")


def load(name: str) -> Network:
    """Read one of the well-known networks, or the packaged knowledge."""
    if name == DEFAULT:
        return bayesdx.load().assembly.model.network
    if name in LIKE_CPCS:
        return like_cpcs(*LIKE_CPCS[name])
    packed = resources.files("pgmpy") / "utils" / "example_models" / f"{name}.bif.gz"
    with resources.as_file(packed) as path:
        return bayesdx.read_network(path)


def like_cpcs(nodes: int, links: int, most: int) -> Network:
    """Binary variables under noisy-OR, a quarter of them roots, in organs of some thirty variables.

    Parents are among the last variables of the same organ, few elsewhere; the last variable has the
    most.
    """
    rng = np.random.default_rng(nodes)
    organ = rng.integers(0, nodes // 30, nodes)
    roots = nodes // 4
    width = np.zeros(nodes, dtype=int)
    width[roots:] = 1
    width[nodes - 1] = most
    for at in rng.integers(roots, nodes, 4 * links).tolist():
        if width.sum() < links and width[at] < min(most, 4):
            width[at] += 1
    cpds: list[CPD] = []
    for i in range(nodes):
        name, near = f"v{i}", np.flatnonzero(organ[:i] == organ[i])[-NEAR:]
        if not width[i]:
            p = float(10.0 ** rng.uniform(-2.5, -0.7))
            cpds.append(TableCPD(name, (), [1.0 - p, p]))
            continue
        near = near if len(near) else np.arange(i)
        far = rng.random(width[i]) < FAR
        pool = np.where(far, rng.integers(0, i, width[i]), rng.choice(near, width[i]))
        parents = tuple(f"v{p}" for p in sorted(set(pool.tolist())))
        strengths = rng.uniform(0.1, 0.9, len(parents))
        leak = float(10.0 ** rng.uniform(-3.0, -1.0))
        cpds.append(NoisyOrCPD(name, parents, strengths, leak))
    return Network([Variable(cpd.child) for cpd in cpds], cpds)


def sampled(network: Network, n: int, rng: np.random.Generator) -> StateArray:
    """Draw complete cases of a network of tables, each variable given its parents, (N, V)."""
    place = {name: i for i, name in enumerate(network.variables)}
    states = np.zeros((n, len(place)), dtype=np.int16)
    for name in network.order:
        parents = tuple(states[:, place[parent]] for parent in network.parents(name))
        limits = np.cumsum(network.table(name), axis=-1)[parents]
        limits = np.broadcast_to(limits, (n, limits.shape[-1]))
        drawn = (rng.random((n, 1)) * limits[:, -1:] >= limits).sum(axis=1)
        states[:, place[name]] = np.minimum(drawn, limits.shape[-1] - 1)
    return states


def hidden(states: StateArray, shape: str, rng: np.random.Generator) -> StateArray:
    """Leave about a fifth of the cells; -1 where nothing is known.

    ``fixed``: the same columns in every row. ``random``: each row its own.
    """
    n, width = states.shape
    count = max(1, round(OBSERVED * width))
    if shape == "fixed":
        seen = np.zeros(width, dtype=bool)
        seen[rng.choice(width, count, replace=False)] = True
    else:
        seen = rng.random((n, width)).argsort(axis=1) < count
    return np.where(seen, states, -1).astype(np.int16)


def batches(network: Network, shape: str, size: tuple[int, int], seed: int) -> StateArray:
    """Batches of rows of one shape, (batches, N, V); with fixed columns, the same in all."""
    rng = np.random.default_rng([seed, SHAPES.index(shape)])
    n_batches, n = size
    rows = hidden(sampled(network, n_batches * n, rng), shape, rng)
    return rows.reshape(n_batches, n, -1)


def frame(network: Network, states: StateArray) -> pd.DataFrame:
    """Rows as people have them: state names, NaN where unknown, no column that nobody filled."""
    columns = {}
    for v, (name, variable) in enumerate(network.variables.items()):
        if (states[:, v] >= 0).any():
            columns[name] = np.array([*variable.states, np.nan], dtype=object)[states[:, v]]
    return pd.DataFrame(columns, index=range(len(states)))


def diagnosis_cases(
    model: NoisyModel,
    n: int,
    seed: int,
    risks_asked: tuple[float, float] | None = None,
) -> Evidence:
    """Cases of the model itself, 20 to 35 % of the findings asked, and of the risks if not said."""
    rng = np.random.default_rng(seed)
    return observe(model, sample_cases(model, n, rng), rng, risks_asked=risks_asked)


def with_positives(
    model: NoisyModel, positives: int, n: int, seed: int, negatives: int = 25
) -> Evidence:
    """Cases of the model with exactly so many findings present and so many absent.

    What is shown is true of a drawn case, so that the evidence is possible; cases that have too
    few of either are passed over. Fewer cases come back where they are rare.
    """
    rng = np.random.default_rng([seed, positives])
    findings, risks = [], []
    for _ in range(20):
        sample = sample_cases(model, max(2000, 2 * n), rng)
        true = sample.findings
        enough = (true.sum(axis=1) >= positives) & ((~true).sum(axis=1) >= negatives)
        true = true[enough]
        order = rng.random(true.shape)
        shown = np.where(true, order, 2.0).argsort(axis=1).argsort(axis=1) < positives
        hidden_ = np.where(true, 2.0, order).argsort(axis=1).argsort(axis=1) < negatives
        findings.append(np.where(shown, 1.0, np.where(hidden_, 0.0, np.nan)))
        asked = rng.random(sample.risks.shape) < rng.uniform(0.20, 0.35, (len(enough), 1))
        risks.append(np.where(asked, sample.risks, -1)[enough])
        if sum(map(len, findings)) >= n:
            break
    rows = np.concatenate(findings)[:n]
    blank = no_evidence(model, len(rows))
    return Evidence(
        rows,
        blank.lower,
        blank.upper,
        np.concatenate(risks)[:n].astype(np.int8),
        blank.causes,
    )


def synthetic(causes_each: int, seed: int, n_causes: int = 50, n_findings: int = 110) -> Network:
    """Uniformly random links, the hardest kind; so many causes a finding on average."""
    rng = np.random.default_rng([seed, causes_each])
    causes = [f"cause{c}" for c in range(n_causes)]
    variables = [Variable(name) for name in causes]
    cpds: list[CPD] = []
    for name in causes:
        prior = rng.uniform(0.005, 0.15)
        cpds.append(TableCPD(name, (), np.array([1.0 - prior, prior])))
    for f in range(n_findings):
        linked = rng.choice(n_causes, size=causes_each, replace=False)
        parents = tuple(causes[c] for c in sorted(linked))
        variables.append(Variable(f"finding{f}"))
        strengths = rng.uniform(0.15, 0.90, len(parents))
        cpds.append(NoisyOrCPD(f"finding{f}", parents, strengths, rng.uniform(0.005, 0.05)))
    return Network(variables, cpds)


def random_positives(
    model: NoisyModel, positives: int, n: int, seed: int, negatives: int = 25
) -> Evidence:
    """So many random findings present and so many others absent, whatever their cause."""
    rng = np.random.default_rng([seed, positives])
    blank = no_evidence(model, n)
    rank = rng.random(blank.findings.shape).argsort(axis=1).argsort(axis=1)
    absent = np.where(rank < positives + negatives, 0.0, np.nan)
    findings = np.where(rank < positives, 1.0, absent)
    return Evidence(findings, blank.lower, blank.upper, blank.risks, blank.causes)


def hidden_chain(steps: int, seed: int) -> tuple[Network, NDArray[np.intp], float]:
    """A hidden Markov chain, what is seen of it, and the log evidence by the forward recursion."""
    rng = np.random.default_rng(seed)
    move, show = rng.dirichlet(np.ones(3), 3), rng.dirichlet(np.ones(6), 3)
    variables: list[Variable] = []
    cpds: list[CPD] = []
    hidden_states, seen_states = ("a", "b", "c"), tuple("uvwxyz")
    for t in range(steps):
        parents = (f"z{t - 1}",) if t else ()
        variables.append(Variable(f"z{t}", hidden_states))
        cpds.append(TableCPD(f"z{t}", parents, move if t else np.full(3, 1 / 3)))
        variables.append(Variable(f"x{t}", seen_states))
        cpds.append(TableCPD(f"x{t}", (f"z{t}",), show))
    seen = rng.integers(0, 6, steps)
    belief, log_evidence = np.full(3, 1 / 3), 0.0
    for t in range(steps):
        belief = (belief @ move if t else belief) * show[:, seen[t]]
        log_evidence += float(np.log(belief.sum()))
        belief = belief / belief.sum()
    return Network(variables, cpds), seen, log_evidence


@dataclass(frozen=True)
class Divorced:
    """One case in a network of small tables, and what is known of its variables."""

    network: Network
    known: Mapping[str, int]


def divorced(model: NoisyModel, evidence: Evidence, row: int) -> Divorced:
    """Write one case for engines that need tables: every finding becomes a chain of steps.

    A noisy-OR of forty causes has no table. Each step of a chain takes in one cause more
    (parent divorcing). Two things keep the junction tree small and change no answer: the chains
    take in causes in one common order, and of an absent finding every step is known to be absent.
    Findings that nobody looked for are left out.
    """
    variables: list[Variable] = []
    cpds: list[CPD] = []
    known: dict[str, int] = {}
    for name in network_order(model):
        variables.append(model.network.variables[name])
        cpds.append(model.network.cpds[name])
    for names, states in ((model.risks, evidence.risks), (model.causes, evidence.causes)):
        known |= {n: int(s) for n, s in zip(names, states[row], strict=True) if s >= 0}
    asked = [
        (name, int(value))
        for name, value in zip(model.findings, evidence.findings[row], strict=True)
        if not np.isnan(value)
    ]
    for o, name in enumerate(model.ordinals):
        if evidence.lower[row, o] == evidence.upper[row, o]:
            asked.append((name, int(evidence.lower[row, o])))
    rank = _cause_rank(model.network, [name for name, state in asked if state > 0])
    for name, state in asked:
        steps = list(_steps(model.network.cpds[name], rank))
        for variable, cpd in steps:
            variables.append(variable)
            cpds.append(cpd)
        # Whatever made a part of an absent finding present would have made the whole present.
        raising = sum(":raise" in variable.name for variable, _ in steps)
        sure = steps[-1 - raising :] if state == 0 else steps[-1:]
        known |= {variable.name: state for variable, _ in sure}
    return Divorced(Network(variables, cpds), known)


def network_order(model: NoisyModel) -> list[str]:
    """Risks and causes, parents first."""
    upper = {*model.risks, *model.causes}
    return [name for name in model.network.order if name in upper]


def _cause_rank(network: Network, coupling: list[str]) -> dict[str, int]:
    """Order causes so that few of the findings that couple them are under way at once."""
    left = {name: set(network.parents(name)) for name in coupling}
    rank: dict[str, int] = {}
    while left:
        touched = {name: sum(bool(left[f] & left[name]) for f in left) for name in left}
        chosen = min(left, key=lambda name: (touched[name], name))
        for cause in sorted(left.pop(chosen) - set(rank)):
            rank[cause] = len(rank)
        for rest in left.values():
            rest.difference_update(rank)
    return rank


def _steps(cpd: CPD, rank: Mapping[str, int]) -> list[tuple[Variable, TableCPD]]:
    """The chain of one finding: leak, inhibitors that lower it, causes that raise it."""
    if isinstance(cpd, NoisyMaxCPD):
        return _level_steps(cpd, rank)
    assert isinstance(cpd, NoisyOrCPD)
    last = f"{cpd.child}:leak"
    chain = [(Variable(last), TableCPD(last, (), np.array([1.0 - cpd.leak, cpd.leak])))]
    for name, factor in _ranked(cpd.inhibitors, cpd.factors, rank):
        kept = np.array([[0.0, 0.0], [1.0, factor]])
        step = f"{cpd.child}:lower {name}"
        table = np.stack([1.0 - kept, kept], axis=-1)
        chain.append((Variable(step), TableCPD(step, (last, name), table)))
        last = step
    for name, strength in _ranked(cpd.activators, cpd.strengths, rank):
        spared = np.array([[1.0, 1.0 - strength], [0.0, 0.0]])
        step = f"{cpd.child}:raise {name}"
        table = np.stack([spared, 1.0 - spared], axis=-1)
        chain.append((Variable(step), TableCPD(step, (last, name), table)))
        last = step
    return chain


def _level_steps(cpd: NoisyMaxCPD, rank: Mapping[str, int]) -> list[tuple[Variable, TableCPD]]:
    size = len(cpd.leak) + 1
    levels = tuple(f"level{s}" for s in range(size))
    last = f"{cpd.child}:raise leak"
    chain = [(Variable(last, levels), TableCPD(last, (), -np.diff([1.0, *cpd.leak, 0.0])))]
    for name, strengths in _ranked(cpd.parents, cpd.strengths, rank):
        table = np.zeros((size, 2, size))
        for level in range(size):
            table[level, 0, level] = 1.0
            exceed = np.where(np.arange(size - 1) < level, 1.0, strengths)
            table[level, 1] = -np.diff([1.0, *exceed, 0.0])
        step = f"{cpd.child}:raise {name}"
        chain.append((Variable(step, levels), TableCPD(step, (last, name), table)))
        last = step
    return chain


def _ranked(
    names: tuple[str, ...], numbers: FloatArray, rank: Mapping[str, int]
) -> list[tuple[str, FloatArray]]:
    order = sorted(range(len(names)), key=lambda i: (rank.get(names[i], len(rank)), names[i]))
    return [(names[i], numbers[i]) for i in order]
