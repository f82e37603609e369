"""Derivatives by table entries against secants of the whole joint, exact as P is affine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from joint import joint, random_general_network
from numpy.typing import NDArray

from bayesdx.inference.general.general_network import CompiledGeneral
from bayesdx.inference.table_gradients import family_gradient, posterior_gradient
from bayesdx.network import AnyOfCPD, Network, NoisyMaxCPD, NoisyOrCPD, TableCPD, Variable

FloatArray = NDArray[np.float64]
LIMIT = 2.0**31


@dataclass
class Altered:
    """A network of which one table is another, whether its rows sum to 1 or not."""

    network: Network
    name: str
    other: FloatArray

    @property
    def variables(self) -> Mapping[str, Variable]:
        return self.network.variables

    def parents(self, name: str) -> tuple[str, ...]:
        return self.network.parents(name)

    def table(self, name: str) -> FloatArray:
        return self.other if name == self.name else self.network.table(name)


def chance(whole: FloatArray, row: NDArray[np.intp]) -> float:
    """P(evidence), summed over the whole joint."""
    return float(whole[tuple(slice(None) if s < 0 else slice(s, s + 1) for s in row)].sum())


def secants(network: Network, name: str, row: NDArray[np.intp]) -> FloatArray:
    """(P with the entry raised by 1/2) - P, twice, over P; for every entry."""
    table = network.table(name)
    p = chance(joint(network), row)
    result = np.zeros_like(table)
    for index in np.ndindex(table.shape):
        raised = table.copy()
        raised[index] += 0.5
        more = chance(joint(Altered(network, name, raised)), row)  # type: ignore[arg-type]
        result[index] = (more - p) / 0.5 / p
    return result


def random_states(rng: np.random.Generator, network: Network, n: int) -> NDArray[np.intp]:
    cards = np.array([v.cardinality for v in network.variables.values()])
    states = rng.integers(0, cards, size=(n, len(cards)))
    return np.where(rng.random(states.shape) < rng.choice([0.5, 0.8, 1.0]), -1, states)


def gradient(network: Network, name: str, states: NDArray[np.intp]) -> FloatArray:
    log_evidence = CompiledGeneral(network, LIMIT).query(states).log_evidence
    return family_gradient(network, name, states, log_evidence, LIMIT)


def test_random_networks_change_as_their_joint_does() -> None:
    rng = np.random.default_rng(0)
    impossible = at_zero = 0
    kinds = set()
    for _ in range(60):
        network = random_general_network(rng, largest=6)
        name = str(rng.choice(list(network.variables)))
        kinds.add(type(network.cpds[name]))
        states = random_states(rng, network, 3)
        ours = gradient(network, name, states)
        assert ours.shape == (3, *network.table(name).shape)
        assert (ours >= 0.0).all()
        for row, found in zip(states, ours, strict=True):
            if chance(joint(network), row) == 0.0:
                impossible += 1
                assert (found == 0.0).all()
                continue
            expected = secants(network, name, row)
            # A secant loses digits where P is small beside what it gains.
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 * expected.max())
            at_zero += int(((network.table(name) == 0.0) & (found > 0.0)).sum())
    assert kinds == {TableCPD, NoisyOrCPD, NoisyMaxCPD, AnyOfCPD}
    assert impossible > 10
    assert at_zero > 20


def test_entry_times_gradient_is_the_posterior_of_the_family() -> None:
    rng = np.random.default_rng(1)
    for _ in range(30):
        network = random_general_network(rng)
        whole = joint(network)
        name = str(rng.choice(list(network.variables)))
        states = random_states(rng, network, 4)
        ours = gradient(network, name, states) * network.table(name)
        axes = [list(network.variables).index(one) for one in (*network.parents(name), name)]
        for row, found in zip(states, ours, strict=True):
            p = chance(whole, row)
            index = tuple(slice(None) if s < 0 else slice(s, s + 1) for s in row)
            kept = np.zeros_like(whole)
            kept[index] = whole[index]
            others = tuple(i for i in range(whole.ndim) if i not in axes)
            family = kept.sum(axis=others).transpose(np.argsort(np.argsort(axes)))
            expected = family / p if p > 0.0 else family
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_a_batch_is_as_its_rows_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    for _ in range(15):
        network = random_general_network(rng)
        name = str(rng.choice(list(network.variables)))
        states = random_states(rng, network, 10)
        batch = gradient(network, name, states)
        alone = [gradient(network, name, states[i : i + 1])[0] for i in range(len(states))]
        np.testing.assert_allclose(batch, np.array(alone), rtol=1e-12, atol=1e-12)
        with monkeypatch.context() as patch:
            patch.setattr("bayesdx.inference.compiled_network.ROWS_AT_ONCE", 1)
            parts = gradient(network, name, states)
        np.testing.assert_allclose(batch, parts, rtol=1e-12, atol=1e-12)


def test_a_wide_family_needs_no_table_to_answer() -> None:
    """A noisy-OR of 10 causes: by the parents of its own finding, in closed form."""
    causes = tuple(f"c{i}" for i in range(10))
    strengths, prior = np.linspace(0.1, 0.9, 10), 0.2
    network = Network(
        [Variable(name) for name in (*causes, "f")],
        [
            *(TableCPD(name, (), np.array([1 - prior, prior])) for name in causes),
            NoisyOrCPD("f", causes, strengths, 0.05),
        ],
    )
    states = np.full((1, 11), -1)
    states[0, -1] = 1
    found = gradient(network, "f", states)[0]
    absent = 0.95 * np.prod(1.0 - prior * strengths)
    active = np.indices((2,) * 10).sum(axis=0)
    expected = prior**active * (1 - prior) ** (10 - active) / (1.0 - absent)
    np.testing.assert_allclose(found[..., 1], expected, rtol=1e-12)
    assert (found[..., 0] == 0.0).all()


def test_posteriors_change_as_the_joint_says() -> None:
    """Against central differences of the whole joint; targets inside and outside the family."""
    rng = np.random.default_rng(6)
    inside = 0
    for _ in range(40):
        network = random_general_network(rng, largest=6)
        names = list(network.variables)
        name, target = (str(rng.choice(names)) for _ in range(2))
        states = random_states(rng, network, 3)
        compiled = CompiledGeneral(network, LIMIT)
        answer = compiled.query(states)
        posterior = answer.posterior(target)
        found = posterior_gradient(
            network, name, target, states, posterior, answer.log_evidence, LIMIT
        )
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found.sum(axis=1), 0.0, atol=1e-9)
        inside += target in (name, *network.parents(name))
        for row, given in enumerate(states):
            if not answer.possible[row]:
                assert not found[row].any()
            elif answer.log_evidence[row] > np.log(1e-3):
                table = network.table(name)
                index = tuple(rng.integers(0, size) for size in table.shape)
                slope = (
                    posterior_of(network, name, index, 1e-6, target, given)
                    - posterior_of(network, name, index, -1e-6, target, given)
                ) / 2e-6
                np.testing.assert_allclose(
                    found[(row, slice(None), *index)], slope, rtol=1e-4, atol=1e-4
                )
    assert inside > 5


def posterior_of(
    network: Network,
    name: str,
    index: tuple[int, ...],
    step: float,
    target: str,
    row: NDArray[np.intp],
) -> FloatArray:
    """P(target | row) after one entry has been moved."""
    table = network.table(name).copy()
    table[index] += step
    whole = joint(Altered(network, name, table))  # type: ignore[arg-type]
    kept = np.zeros_like(whole)
    chosen = tuple(slice(None) if s < 0 else slice(s, s + 1) for s in row)
    kept[chosen] = whole[chosen]
    axis = list(network.variables).index(target)
    sums = kept.sum(axis=tuple(i for i in range(kept.ndim) if i != axis))
    result: FloatArray = sums / sums.sum()
    return result
