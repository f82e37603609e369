"""Work that the orders make: frontier components, steps and plans over fixed cases; may only fall.

`python tests/inference/noisy/test_work.py` writes the counts of today beside this file. A count
that rises fails; one that falls by more than a twentieth asks for the file to be written again, so
that what was won is not lost unseen.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bayesdx.inference import Evidence, NoisyModel, compile_diagnosis, no_evidence
from bayesdx.inference.noisy import lane_order
from bayesdx.inference.noisy.condition import absorb
from bayesdx.inference.noisy.lockstep import plan
from bayesdx.network import CPD, Network, NoisyOrCPD, TableCPD, Variable

COUNTS = Path(__file__).with_name("work_counts.json")
N_CASES, N_NETWORKS = 200, 20


def frozen_network(seed: int, n_causes: int, n_findings: int, n_risks: int) -> NoisyModel:
    """A network of regions, drawn by this file alone: no prior that changes moves its cases."""
    rng = np.random.default_rng(seed)
    risks = [f"r{i}" for i in range(n_risks)]
    sizes = rng.integers(2, 5, n_risks)
    variables = [
        Variable(name, tuple(f"s{k}" for k in range(size)))
        for name, size in zip(risks, sizes, strict=True)
    ]
    cpds: list[CPD] = [
        TableCPD(name, (), rng.dirichlet(np.ones(size)))
        for name, size in zip(risks, sizes, strict=True)
    ]
    causes = [f"c{i}" for i in range(n_causes)]
    for name in causes:
        own = sorted(rng.choice(n_risks, rng.integers(0, 3), replace=False).tolist())
        shape = tuple(int(sizes[r]) for r in own)
        present = rng.uniform(0.01, 0.3, shape)
        table = np.stack([1.0 - present, present], axis=-1)
        cpds.append(TableCPD(name, tuple(risks[r] for r in own), table))
    findings = [f"f{i}" for i in range(n_findings)]
    region = np.arange(n_causes) * 5 // n_causes
    for name in findings:
        near = np.where(region == rng.integers(5), 5.0, 1.0)
        chosen = rng.choice(n_causes, 5, replace=False, p=near / near.sum())
        parents = tuple(causes[c] for c in sorted(chosen.tolist()))
        cpds.append(NoisyOrCPD(name, parents, rng.uniform(0.2, 0.9, 5), 0.02))
    variables += [Variable(name) for name in causes + findings]
    return compile_diagnosis(Network(variables, cpds))


def drawn_cases(model: NoisyModel, seed: int, count: int, most: int) -> Evidence:
    """Cases with 1 to ``most`` findings present, others absent, some risks known."""
    rng = np.random.default_rng(seed)
    evidence = no_evidence(model, count)
    for row in range(count):
        order = rng.permutation(len(model.findings))
        n_present = 1 + row * most // count
        evidence.findings[row, order[:n_present]] = 1.0
        evidence.findings[row, order[n_present : n_present + 20]] = 0.0
        for r, prior in enumerate(model.risk_priors):
            if rng.random() < 0.4:
                evidence.risks[row, r] = rng.integers(len(prior))
    return evidence


def problems() -> Iterator[tuple[str, NoisyModel, Evidence]]:
    """200 cases of one network, and 10 of each of 20."""
    model = frozen_network(0, 50, 110, 12)
    yield "cases", model, drawn_cases(model, 1, N_CASES, 16)
    for seed in range(1, N_NETWORKS + 1):
        small = frozen_network(seed, 12 + seed, 30, 4)
        yield "networks", small, drawn_cases(small, seed, 10, 8)


def counted() -> dict[str, dict[str, float]]:
    """Count the work of each order over both sets."""
    totals: dict[str, dict[str, float]] = {}
    for name, model, evidence in problems():
        problem = absorb(model, evidence)
        found = plan.plan_sweep(model, problem)
        own = {
            "lockstep components": found.core.work.sum()
            + sum(one.order.work for one in found.large),
            "lockstep steps": found.core.n_steps.sum()
            + sum(len(one.order.nodes) for one in found.large),
            "pendant eliminations": sum(len(step.rows) for step in found.pendants),
            "pendant passes": len(found.pendants),
            "searched plans": len(found.large),
            "refused": len(found.refused),
        }
        sizes = np.append(model.axes.sizes, 1)[problem.axis]
        for row in range(0, len(evidence), 10):
            masks = [int(word) for word in problem.mask[row] if int(word).bit_count() > 1]
            order = lane_order.find_order(masks, sizes[row].tolist(), 1)
            own["lanes components"] = own.get("lanes components", 0.0) + order.work
            own["lanes steps"] = own.get("lanes steps", 0.0) + len(order.causes)
        total = totals.setdefault(name, dict.fromkeys(own, 0.0))
        for key, value in own.items():
            total[key] += float(value)
    return totals


def test_no_order_makes_more_work_than_before() -> None:
    before = json.loads(COUNTS.read_text())
    for name, counts in counted().items():
        assert counts.keys() == before[name].keys()
        for key, now in counts.items():
            assert now <= before[name][key] * (1 + 1e-9), f"{name}, {key} rose: write down why"
            assert now >= before[name][key] * 0.95, f"{name}, {key} fell: write the counts again"


def test_an_order_that_is_only_worse_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant that gives the right answers: the dearest axis first in place of the cheapest."""
    right = plan.eliminate_tile
    monkeypatch.setattr(
        plan, "eliminate_tile", lambda sets, weight, *noise: right(sets, -weight, *noise)
    )
    before = json.loads(COUNTS.read_text())
    now = counted()
    for name in before:
        assert now[name]["lockstep components"] > 1.2 * before[name]["lockstep components"]


if __name__ == "__main__":
    COUNTS.write_text(json.dumps(counted(), indent=2) + "\n")
    print(COUNTS.read_text())
