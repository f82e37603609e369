"""Most probable explanations of diagnosis models that no elimination holds.

``python benchmarks/speed/explanations.py [--models 20] [--seconds 10] [--whole]`` makes two-layer
noisy-OR models of 600 causes and 4,000 findings (8 causes a finding in the mean), draws a patient
from each, shows 20 of the findings that are present and 60 that are absent, and asks for the most
probable joint state of all causes; with ``--whole`` of all 4,600 variables too. CPU seconds, what
was found, and the bound less it: 0 where it is proved.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

import numpy as np

import bayesdx
from bayesdx.network import CPD, Network, NoisyOrCPD, TableCPD, Variable

CAUSES, FINDINGS, LINKS, PRESENT, ABSENT = 600, 4_000, 8.0, 20, 60


def model(rng: np.random.Generator) -> Network:
    """Priors of 0.03 to 6 %, leaks of 0.01 to 3 %, sensitivities of 5 to 90 %."""
    causes = [f"cause{i}" for i in range(CAUSES)]
    priors = 10.0 ** rng.uniform(-3.5, -1.2, CAUSES)
    cpds: list[CPD] = [
        TableCPD(name, (), [1.0 - p, p]) for name, p in zip(causes, priors, strict=True)
    ]
    for i in range(FINDINGS):
        width = 1 + int(rng.poisson(LINKS - 1.0))
        parents = rng.choice(CAUSES, width, replace=False)
        leak = float(10.0 ** rng.uniform(-4.0, -1.5))
        strengths = rng.uniform(0.05, 0.9, width)
        cpds.append(NoisyOrCPD(f"finding{i}", tuple(causes[c] for c in parents), strengths, leak))
    return Network([Variable(cpd.child) for cpd in cpds], cpds)


def patient(network: Network, rng: np.random.Generator) -> dict[str, str]:
    """Some of the findings of a case that is drawn from the network."""
    active: dict[str, bool] = {}
    shown: dict[bool, list[str]] = {True: [], False: []}
    for name, cpd in network.cpds.items():
        if isinstance(cpd, NoisyOrCPD):
            at = np.array([active[parent] for parent in cpd.parents])
            absent = (1.0 - cpd.leak) * float(np.prod(1.0 - np.asarray(cpd.strengths)[at]))
            shown[bool(rng.random() >= absent)].append(name)
        else:
            active[name] = bool(rng.random() < network.table(name)[1])
    known = dict.fromkeys(rng.permutation(shown[True])[:PRESENT].tolist(), "present")
    return known | dict.fromkeys(rng.permutation(shown[False])[:ABSENT].tolist(), "absent")


def measured(models: int, seconds: float, whole: bool) -> Iterator[tuple[float, ...]]:
    """Seed, findings present, then of each question CPU seconds, active causes, log P, gap."""
    for seed in range(models):
        rng = np.random.default_rng(seed)
        network = model(rng)
        plan, case = bayesdx.compile_network(network), patient(network, rng)
        causes = [name for name in network.variables if name.startswith("cause")]
        told = [float(seed), float(sum(one == "present" for one in case.values()))]
        for targets in (causes, None)[: 1 + whole]:
            start = time.process_time()
            found = plan.mpe(case, targets=targets, time_limit=seconds).iloc[0]
            told.append(time.process_time() - start)
            log_p, bound = found["log_probability"], found["log_bound"]
            told += [float((found[causes] == "present").sum()), log_p, bound - log_p]
        yield tuple(told)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--models", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--whole", action="store_true")
    chosen = parser.parse_args()
    print("| model | present | CPU s | causes | log P | gap |" + " ... of all |" * chosen.whole)
    for told in measured(chosen.models, chosen.seconds, chosen.whole):
        print("| " + " | ".join(f"{one:.4g}" for one in told) + " |", flush=True)


if __name__ == "__main__":
    main()
