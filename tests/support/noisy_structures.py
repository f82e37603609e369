"""Small layered networks, one for each thing that an executor treats in a way of its own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bayesdx.inference import Evidence, NoisyModel, compile_diagnosis, no_evidence
from bayesdx.network import CPD, Network, NoisyMaxCPD, NoisyOrCPD, TableCPD, Variable

CAUSES = ("a", "b", "c", "d")
NAN = np.nan

Problem = tuple[NoisyModel, Evidence]


def roots(*priors: float) -> list[CPD]:
    return [
        TableCPD(name, (), np.array([1.0 - p, p])) for name, p in zip(CAUSES, priors, strict=False)
    ]


def noisy_or(
    name: str, links: dict[str, float], leak: float, inhibitors: dict[str, float] | None = None
) -> NoisyOrCPD:
    h = inhibitors or {}
    return NoisyOrCPD(
        name, tuple(links), np.array([*links.values()]), leak, tuple(h), np.array([*h.values()])
    )


def asked(cpds: list[CPD], rows: list[list[float]], sizes: dict[str, int] | None = None) -> Problem:
    """A model, and cases given by the values of their binary findings."""
    every = sizes or {}
    variables = [
        Variable(cpd.child, tuple(f"s{i}" for i in range(every.get(cpd.child, 2)))) for cpd in cpds
    ]
    model = compile_diagnosis(Network(variables, cpds))
    evidence = no_evidence(model, len(rows))
    evidence.findings[:] = rows
    return model, evidence


TANGLED = [
    noisy_or("f", {"a": 0.7, "b": 0.4, "c": 0.1}, 0.02),
    noisy_or("g", {"b": 0.6, "c": 0.8}, 0.3),
    noisy_or("h", {"a": 0.2, "c": 0.5, "d": 0.9}, 1e-4),
]
HARD = [[1, 1, 1], [1, 0, 1], [0, 0, 0], [1, NAN, NAN], [NAN, 1, 0]]


def binary() -> Problem:
    return asked([*roots(0.1, 0.2, 0.05, 0.3), *TANGLED], HARD)


def one_inhibitor() -> Problem:
    lowered = noisy_or("g", {"b": 0.6}, 0.3, {"d": 0.25})
    return asked([*roots(0.1, 0.2, 0.05, 0.3), TANGLED[0], lowered, TANGLED[2]], HARD)


def several_inhibitors() -> Problem:
    lowered = noisy_or("g", {"b": 0.6}, 0.3, {"d": 0.25, "a": 0.5, "c": 0.0})
    return asked([*roots(0.1, 0.2, 0.05, 0.3), TANGLED[0], lowered, TANGLED[2]], HARD)


def leak_of_one() -> Problem:
    lowered = noisy_or("g", {"b": 0.6}, 1.0, {"d": 0.25})
    return asked([*roots(0.1, 0.2, 0.05, 0.3), TANGLED[0], lowered, TANGLED[2]], HARD)


def ordinals() -> Problem:
    strengths = np.array([[0.9, 0.5, 0.2], [0.6, 0.6, 0.0], [0.3, 0.1, 0.1]])
    level = NoisyMaxCPD("o", CAUSES[1:], strengths, np.array([0.2, 0.1, 0.01]))
    bare = NoisyMaxCPD("p", CAUSES[:2], np.array([[0.5], [0.1]]), np.array([0.0]))
    cpds = [*roots(0.1, 0.2, 0.05, 0.3), TANGLED[0], level, bare]
    model, evidence = asked(cpds, [[v] for v in (1, 0, NAN, 1, NAN, 1)], {"o": 4})
    evidence.lower[:] = [[0, 0], [2, 1], [1, 0], [3, 0], [0, 1], [1, 0]]
    evidence.upper[:] = [[0, 1], [2, 1], [2, 0], [3, 1], [2, 1], [3, 0]]
    return model, evidence


def soft() -> Problem:
    lowered = noisy_or("g", {"b": 0.6}, 0.3, {"d": 0.25, "a": 0.5})
    rows = [[0.8, 0.7, 0.5], [0.2, 0.1, 1], [0.99, 0.3, 0], [NAN, 0.5, 0.6]]
    return asked([*roots(0.1, 0.2, 0.05, 0.3), TANGLED[0], lowered, TANGLED[2]], rows)


def shared_risks() -> Problem:
    age = TableCPD("age", (), np.array([0.5, 0.3, 0.2]))
    drug = TableCPD("drug", (), np.array([0.9, 0.1]))
    own = TableCPD("own", (), np.array([0.6, 0.4]))
    p = np.array([[0.1, 0.3], [0.0, 0.5], [0.2, 1.0]])
    tables = {"a": (("age", "drug"), p), "b": (("age",), p[:, 0]), "c": (("drug", "own"), p[:2])}
    cpds: list[CPD] = [age, drug, own]
    for name, (parents, present) in tables.items():
        cpds.append(TableCPD(name, parents, np.stack([1.0 - present, present], axis=-1)))
    cpds.append(TableCPD("d", (), np.array([0.7, 0.3])))
    model, evidence = asked([*cpds, *TANGLED], HARD, {"age": 3})
    evidence.risks[:] = [[-1, -1, -1], [1, -1, -1], [-1, 1, 0], [2, 1, 1], [-1, -1, 1]]
    return model, evidence


def clamped_causes() -> Problem:
    model, evidence = several_inhibitors()
    evidence.causes[:, :3] = [[1, -1, -1], [-1, 0, 1], [0, 0, -1], [1, 1, -1], [-1, -1, 0]]
    return model, evidence


def impossible() -> Problem:
    links = noisy_or("f", {"a": 0.7}, 0.0)
    sure = noisy_or("g", {"a": 0.2, "b": 0.5}, 1.0)
    rows = [[1, 1], [1, 0], [0, 0], [0, 1], [NAN, 0]]
    return asked([*roots(0.0, 0.2), links, sure], rows)


def certain_links() -> Problem:
    sure = noisy_or("f", {"a": 1.0, "b": 0.4}, 0.02)
    both = noisy_or("g", {"a": 0.5, "b": 1.0}, 0.0, {"c": 0.0})
    return asked([*roots(0.1, 0.2, 1.0, 0.3), sure, both, TANGLED[2]], HARD)


STRUCTURES: dict[str, Callable[[], Problem]] = {
    "binary": binary,
    "one inhibitor": one_inhibitor,
    "several inhibitors": several_inhibitors,
    "leak of one": leak_of_one,
    "ordinals": ordinals,
    "soft": soft,
    "shared risks": shared_risks,
    "clamped causes": clamped_causes,
    "impossible": impossible,
    "certain links": certain_links,
}
