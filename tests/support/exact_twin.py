"""Answers in whole numbers: every float is a whole multiple of 2**-1074, and nothing is rounded.

Networks of a few variables with the worst numbers there are, and what is right about them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from bayesdx.network import AnyOfCPD, Network, NoisyMaxCPD, NoisyOrCPD, TableCPD, Variable

#: Zero, one, the least floats there are, what underflows when squared, the float before one.
WORST = (0.0, 1.0, 5e-324, 1e-308, 1e-160, 1.0 - 2.0**-53, 0.5, 0.3)
#: Likelihoods of that size.
SOFT = (*WORST, 1.0, 1.0)

Table = dict[tuple[int, ...], list[Fraction]]


def exact_table(network: Network, name: str) -> Table:
    """P(state | parents) by joint state of the parents, by the definition of each family."""
    cpd = network.cpds[name]
    cards = [network.variables[parent].cardinality for parent in cpd.parents]
    states = list(itertools.product(*map(range, cards)))
    if isinstance(cpd, TableCPD):
        table = network.table(name)
        return {joint: [Fraction(float(p)) for p in table[joint]] for joint in states}
    if isinstance(cpd, AnyOfCPD):
        return {joint: [Fraction(not any(joint)), Fraction(any(joint))] for joint in states}
    result = {}
    for joint in states:
        if isinstance(cpd, NoisyMaxCPD):
            at_most = [1 - Fraction(float(leak)) for leak in cpd.leak]
            for active, strengths in zip(joint, cpd.strengths, strict=True):
                if active:
                    pairs = zip(at_most, strengths, strict=True)
                    at_most = [have * (1 - Fraction(float(more))) for have, more in pairs]
            ends = [Fraction(0), *at_most, Fraction(1)]
            result[joint] = [after - before for before, after in itertools.pairwise(ends)]
            continue
        assert isinstance(cpd, NoisyOrCPD)
        split = len(cpd.activators)
        leak, absent = Fraction(float(cpd.leak)), Fraction(1)
        for active, strength in zip(joint[:split], cpd.strengths, strict=True):
            absent *= 1 - Fraction(float(strength)) if active else 1
        for active, factor in zip(joint[split:], cpd.factors, strict=True):
            leak *= Fraction(float(factor)) if active else 1
        absent *= 1 - leak
        result[joint] = [absent, 1 - absent]
    return result


def exact_answer(
    network: Network, states: Mapping[str, int], soft: Mapping[str, np.ndarray]
) -> tuple[float, dict[str, np.ndarray]]:
    """Natural log of P(evidence), and all posteriors (zeros where it is impossible)."""
    names = list(network.variables)
    place = {name: i for i, name in enumerate(names)}
    tables, shift = [], 0
    for name in names:
        table = exact_table(network, name)
        # All entries are whole multiples of one power of 2.
        power = max(p.denominator.bit_length() - 1 for row in table.values() for p in row)
        shift += power
        whole = {
            joint: [p.numerator << (power - p.denominator.bit_length() + 1) for p in row]
            for joint, row in table.items()
        }
        tables.append((place[name], [place[parent] for parent in network.parents(name)], whole))
    weights = {}
    for name, given in soft.items():
        exact = [Fraction(float(value)) for value in given]
        power = max(value.denominator.bit_length() - 1 for value in exact)
        shift += power
        weights[place[name]] = [
            value.numerator << (power - value.denominator.bit_length() + 1) for value in exact
        ]
    cards = [network.variables[name].cardinality for name in names]
    options = [
        [states[name]] if name in states else range(card)
        for name, card in zip(names, cards, strict=True)
    ]
    sums = [[0] * card for card in cards]
    total = 0
    for joint in itertools.product(*options):
        weight = 1
        for v, parents, table in tables:
            weight *= table[tuple(joint[u] for u in parents)][joint[v]]
            if not weight:
                break
        for v, given in weights.items():
            weight *= given[joint[v]]
        if weight:
            total += weight
            for v, state in enumerate(joint):
                sums[v][state] += weight
    found = {
        name: np.array([float(Fraction(one, total or 1)) for one in sums[v]])
        for v, name in enumerate(names)
    }
    # math.log takes whole numbers of any size.
    return (math.log(total) - shift * math.log(2.0) if total else -math.inf), found


def _row(rng: np.random.Generator, size: int) -> np.ndarray:
    """One distribution of the worst numbers."""
    if size == 1:
        return np.ones(1)
    if size == 2:
        p = float(rng.choice(WORST))
        row = np.array([1.0 - p, p])
    else:
        first = float(rng.choice(WORST))
        second = min(float(rng.choice(WORST)), 1.0 - first)
        row = np.zeros(size)
        row[:3] = first, second, 1.0 - first - second
    return rng.permutation(row)


def worst_general(rng: np.random.Generator) -> Network:
    """A network of tables, 3 to 6 variables, with a noisy family now and then."""
    count = int(rng.integers(3, 7))
    variables, cpds = [], []
    for i in range(count):
        size = int(rng.choice([1, 2, 2, 2, 3]))
        states = tuple(f"s{k}" for k in range(size))
        parents = tuple(
            variables[k].name for k in rng.permutation(i)[: int(rng.integers(0, 3))].tolist()
        )
        sizes = {variable.name: variable.cardinality for variable in variables}
        binary = bool(parents) and all(sizes[name] == 2 for name in parents)
        variables.append(Variable(f"v{i}", states))
        if binary and size == 2 and rng.random() < 0.3:
            cpds.append(_noisy_or(rng, f"v{i}", parents))
            continue
        cards = [
            variable.cardinality
            for name in parents
            for variable in variables
            if variable.name == name
        ]
        rows = np.array([_row(rng, size) for _ in range(math.prod(cards))])
        cpds.append(TableCPD(f"v{i}", parents, rows.reshape(*cards, size)))
    return Network(variables, cpds)


def worst_layered(rng: np.random.Generator) -> Network:
    """Risks, causes, noisy findings and a noisy-MAX, for the noisy executors."""
    risks = [f"r{i}" for i in range(int(rng.integers(0, 3)))]
    causes = [f"c{i}" for i in range(int(rng.integers(1, 4)))]
    findings = [f"f{i}" for i in range(int(rng.integers(1, 5)))]
    variables = [Variable(name, ("a", "b", "c")[: int(rng.integers(2, 4))]) for name in risks]
    cards = {variable.name: variable.cardinality for variable in variables}
    cpds: list = [TableCPD(name, (), _row(rng, cards[name])) for name in risks]
    for name in causes:
        own = tuple(risks[: int(rng.integers(0, len(risks) + 1))])
        shape = [cards[parent] for parent in own]
        rows = np.array([_row(rng, 2) for _ in range(math.prod(shape))])
        cpds.append(TableCPD(name, own, rows.reshape(*shape, 2)))
    for name in findings:
        chosen = tuple(rng.permutation(causes)[: int(rng.integers(1, len(causes) + 1))].tolist())
        cpds.append(_noisy_or(rng, name, chosen))
    variables += [Variable(name) for name in (*causes, *findings)]
    if rng.random() < 0.5:
        levels = -np.sort(-rng.choice(WORST, size=(len(causes) + 1, 2)), axis=1)
        variables.append(Variable("o", ("none", "some", "much")))
        cpds.append(NoisyMaxCPD("o", tuple(causes), levels[:-1], levels[-1]))
    return Network(variables, cpds)


def _noisy_or(rng: np.random.Generator, name: str, parents: tuple[str, ...]) -> NoisyOrCPD:
    split = int(rng.integers(0, len(parents) + 1)) if rng.random() < 0.4 else len(parents)
    strengths, factors = rng.choice(WORST, split), rng.choice(WORST, len(parents) - split)
    leak = float(rng.choice(WORST))
    return NoisyOrCPD(name, parents[:split], strengths, leak, parents[split:], factors)


def worst_evidence(
    rng: np.random.Generator, network: Network
) -> tuple[dict[str, int], dict[str, np.ndarray]]:
    """States of some variables, likelihoods of others."""
    states: dict[str, int] = {}
    soft: dict[str, np.ndarray] = {}
    for name, variable in network.variables.items():
        luck = rng.random()
        if luck < 0.4:
            states[name] = int(rng.integers(variable.cardinality))
        elif luck < 0.6:
            soft[name] = rng.choice(SOFT, variable.cardinality)
    return states, soft
