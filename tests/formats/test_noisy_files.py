"""Noisy families in files: as noisy-MAX in XDSL, by parent divorcing where only tables are held."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from random_networks import random_network

from bayesdx import (
    AnyOfCPD,
    Network,
    NoisyMaxCPD,
    NoisyOrCPD,
    TableCPD,
    Variable,
    compile_network,
    read_network,
    write_network,
)
from bayesdx.network.divorcing import divorced, leaks_apart

SEEDS = range(12)


def given(network: Network, child: str, states: dict[str, str]) -> dict[str, float]:
    """P(state of the child | states of its parents), all by name."""
    variables = [network.variables[one] for one in network.parents(child)]
    at = tuple(one.states.index(states[one.name]) for one in variables)
    row = network.table(child)[at].tolist()
    return dict(zip(network.variables[child].states, row, strict=True))


def settings_of(network: Network, child: str):
    """Every joint state of the parents of a child, by name."""
    parents = network.parents(child)
    for states in product(*(network.variables[one].states for one in parents)):
        yield dict(zip(parents, states, strict=True))


class Judge:
    """What a file in XDSL says, by the definition of noisy-MAX, one state after the other."""

    def __init__(self, text: str) -> None:
        nodes = ElementTree.fromstring(text).find("nodes")
        assert nodes is not None
        self.nodes = {node.attrib["id"]: node for node in nodes}

    def states(self, name: str) -> list[str]:
        return [one.attrib["id"] for one in self.nodes[name].findall("state")]

    def words(self, name: str, tag: str) -> list[str]:
        return (self.nodes[name].findtext(tag) or "").split()

    def given(self, name: str, setting: dict[str, str]) -> dict[str, float]:
        """P(state | states of parents); a parent that is not told is summed out."""
        parents = self.words(name, "parents")
        open_ = [one for one in parents if one not in setting]
        if open_:
            weights = self.given(open_[0], setting)
            parts = {state: self.given(name, setting | {open_[0]: state}) for state in weights}
            return {
                state: sum(weights[other] * parts[other][state] for other in weights)
                for state in self.states(name)
            }
        at = [self.states(one).index(setting[one]) for one in parents]
        size = len(self.states(name))
        if self.nodes[name].tag == "cpt":
            row = 0
            for one, state in zip(parents, at, strict=True):
                row = row * len(self.states(one)) + state
            numbers = list(map(float, self.words(name, "probabilities")))
            return dict(zip(self.states(name), numbers[row * size :], strict=False))
        numbers = list(map(float, self.words(name, "parameters")))
        order = list(map(int, self.words(name, "strengths")))
        columns, first = [numbers[-size:]], 0
        for one, state in zip(parents, at, strict=True):
            wide = len(self.states(one))
            column = first + order[first : first + wide].index(state)
            columns.append(numbers[column * size : (column + 1) * size])
            first += wide
        # P(at most a level): all that act stay at most there. The last state is the least.
        at_most = [np.prod([sum(one[s:]) for one in columns]) for s in range(size + 1)]
        at_most[size] = 0.0
        return {
            state: float(at_most[s] - at_most[s + 1]) for s, state in enumerate(self.states(name))
        }


@pytest.mark.parametrize("seed", SEEDS)
def test_what_xdsl_says_of_each_family_is_what_the_network_says(seed: int, tmp_path: Path) -> None:
    network = random_network(np.random.default_rng(seed))
    write_network(network, tmp_path / "n.xdsl")
    judge = Judge((tmp_path / "n.xdsl").read_text())
    tags = {name: node.tag for name, node in judge.nodes.items()}
    for name, cpd in network.cpds.items():
        only_inhibited = isinstance(cpd, NoisyOrCPD) and cpd.inhibitors and not cpd.activators
        table = isinstance(cpd, TableCPD) or only_inhibited
        assert tags[name] == ("cpt" if table else "noisymax")
        for setting in settings_of(network, name):
            told, right = judge.given(name, setting), given(network, name, setting)
            assert set(told) == set(right)
            for state, value in right.items():
                assert told[state] == pytest.approx(value, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("seed", SEEDS)
def test_xdsl_reads_back_as_the_noisy_families_that_were_written(seed: int, tmp_path: Path) -> None:
    network = random_network(np.random.default_rng(seed))
    write_network(network, tmp_path / "n.xdsl")
    again = read_network(tmp_path / "n.xdsl")
    whole = leaks_apart(network)
    assert set(again.variables) == set(whole.variables)
    for name, variable in whole.variables.items():
        # States come back in their order: noisy families want it.
        if isinstance(whole.cpds[name], TableCPD) or whole.parents(name):
            assert again.variables[name] == variable
        for setting in settings_of(whole, name):
            told, right = given(again, name, setting), given(whole, name, setting)
            assert told == pytest.approx(right, rel=1e-14, abs=1e-15)
    wide = [
        name
        for name, cpd in whole.cpds.items()
        if isinstance(cpd, AnyOfCPD) or (isinstance(cpd, NoisyOrCPD) and cpd.activators)
    ]
    assert {type(again.cpds[name]) for name in wide} <= {NoisyOrCPD}


def wide_network(parents: int) -> Network:
    causes = [f"c{i:02}" for i in range(parents)]
    rng = np.random.default_rng(parents)
    cpds: list = [TableCPD(name, (), [0.9, 0.1]) for name in causes]
    half = parents // 2
    strengths, factors = rng.random(half), rng.random(parents - half)
    fever = NoisyOrCPD("fever", tuple(causes[:half]), strengths, 0.2, tuple(causes[half:]), factors)
    exceed = -np.sort(-rng.random((parents, 2)), axis=1)
    pain = NoisyMaxCPD("pain", tuple(causes), exceed, np.array([0.2, 0.1]))
    variables = [Variable(name) for name in [*causes, "fever"]]
    levels = Variable("pain", ("none", "mild", "severe"))
    return Network(
        [*variables, levels, Variable("any")], [*cpds, fever, pain, AnyOfCPD("any", tuple(causes))]
    )


@pytest.mark.parametrize("suffix", [".bif", ".net", ".xmlbif", ".xdsl"])
def test_families_of_sixty_parents_go_through_files(suffix: str, tmp_path: Path) -> None:
    network = wide_network(60)
    write_network(network, tmp_path / f"n{suffix}")
    again = read_network(tmp_path / f"n{suffix}")
    assert (tmp_path / f"n{suffix}").stat().st_size < 100_000
    cases = [
        {"fever": "present", "pain": "mild"},
        {"fever": "absent", "c03": "present", "pain": "severe"},
        {"pain": "none", "any": "present"},
        {"any": "absent", "fever": "present"},
        {"c05": "absent", "c41": "present"},
    ]
    ours, theirs = (compile_network(one).query(cases) for one in (network, again))
    np.testing.assert_allclose(theirs.log_evidence, ours.log_evidence, rtol=0, atol=1e-11)
    for name, variable in network.variables.items():
        order = [again.variables[name].states.index(state) for state in variable.states]
        table = theirs.posteriors[name][:, order]
        np.testing.assert_allclose(table, ours.posteriors[name], rtol=0, atol=1e-11)


@pytest.mark.parametrize("seed", SEEDS)
def test_divorced_families_are_the_same_when_the_parts_are_summed_out(seed: int) -> None:
    network = random_network(np.random.default_rng(seed))
    parts = divorced(network, widest=1)
    assert tuple(parts.variables)[: len(network.variables)] == tuple(network.variables)
    added = set(parts.variables) - set(network.variables)
    assert all(len(parts.parents(name)) < 3 for name in added)
    for name, cpd in network.cpds.items():
        if isinstance(cpd, TableCPD) or len(cpd.parents) < 2:
            assert parts.cpds[name] is cpd
            continue
        for setting in settings_of(network, name):
            told, right = summed_out(parts, name, setting), given(network, name, setting)
            assert told == pytest.approx(right, rel=1e-12, abs=1e-15)


def summed_out(network: Network, name: str, setting: dict[str, str]) -> dict[str, float]:
    """P(state | some ancestors) where every other parent is an auxiliary variable."""
    open_ = [one for one in network.parents(name) if one not in setting]
    if not open_:
        return given(network, name, setting)
    weights = summed_out(network, open_[0], setting)
    parts = {one: summed_out(network, name, setting | {open_[0]: one}) for one in weights}
    states = network.variables[name].states
    return {s: sum(weights[one] * parts[one][s] for one in weights) for s in states}


def test_names_of_parts_avoid_those_of_the_network() -> None:
    causes = ("fever_part1", "b", "c")
    cpds = [TableCPD(name, (), [0.9, 0.1]) for name in causes]
    network = Network(
        [Variable(name) for name in (*causes, "fever")],
        [*cpds, NoisyOrCPD("fever", causes, [0.5, 0.5, 0.5], 0.1)],
    )
    assert list(divorced(network, widest=1).variables)[4:] == ["fever_part1_", "fever_part2"]


def test_nothing_is_divorced_where_nothing_is_wide() -> None:
    network = wide_network(6)
    assert divorced(network) is network
    plain = divorced(leaks_apart(network))
    assert leaks_apart(plain) is plain


def test_labels_go_to_genie_and_back_and_name_columns(tmp_path: Path) -> None:
    names = {"flu": "Influenza <A>", "cold": ""}
    variables = [Variable(name, label=label) for name, label in names.items()]
    network = Network(variables, [TableCPD(name, (), [0.8, 0.2]) for name in names])
    write_network(network, tmp_path / "n.xdsl")
    again = read_network(tmp_path / "n.xdsl")
    assert {name: one.label for name, one in again.variables.items()} == names
    answer = compile_network(again).query([{"influenza <a>": "present"}])
    assert answer.posteriors["flu"].tolist() == [[0.0, 1.0]]
