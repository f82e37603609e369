"""Which networks can be compiled, and what becomes of them."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

import numpy as np
import pytest
from random_networks import random_network

from bayesdx.errors import InvalidNetwork
from bayesdx.inference import compile_diagnosis, no_evidence, posteriors
from bayesdx.network import CPD, AnyOfCPD, Network, NoisyOrCPD, TableCPD, Variable

RARE = np.array([0.9, 0.1])


def refused(*layers: tuple[Variable, CPD]) -> list[str]:
    network = Network([v for v, _ in layers], [cpd for _, cpd in layers])
    with pytest.raises(InvalidNetwork, match="expected") as refusal:
        compile_diagnosis(network)
    return [str(fault) for fault in refusal.value.faults]


RISK = (Variable("risk"), TableCPD("risk", (), RARE))
CAUSE = (Variable("cause"), TableCPD("cause", ("risk",), np.array([RARE, RARE[::-1]])))
PAIN = (Variable("pain"), NoisyOrCPD("pain", ("cause",), np.array([0.5]), 0.1))


def test_layers_are_told_apart_by_their_distributions() -> None:
    other = (Variable("other"), TableCPD("other", (), RARE))
    group = (Variable("any"), AnyOfCPD("any", ("cause", "other")))
    layers = [RISK, CAUSE, other, PAIN, group]
    model = compile_diagnosis(Network([v for v, _ in layers], [c for _, c in layers]))
    assert model.risks == ("risk",)
    assert model.causes == ("cause", "other"), "a root is a cause when a group or finding needs it"
    assert model.findings == ("pain",)
    assert model.groups == {"any": (0, 1)}
    assert repr(model) == "NoisyModel(1 risks, 2 causes, 1 findings, 0 ordinal findings)"


def test_a_finding_needs_causes_for_parents() -> None:
    fever = (Variable("fever"), NoisyOrCPD("fever", ("pain",), np.array([0.5]), 0.1))
    assert refused(RISK, CAUSE, PAIN, fever) == [
        "parents of fever: expected causes only, got ('pain',)."
    ]


def test_a_cause_needs_risks_for_parents_and_two_states_all_faults_at_once() -> None:
    deep = (Variable("deep"), TableCPD("deep", ("cause",), np.array([RARE, RARE])))
    wide = (
        Variable("wide", ("none", "some", "much")),
        TableCPD("wide", ("risk",), np.full((2, 3), 1 / 3)),
    )
    assert refused(RISK, CAUSE, PAIN, deep, wide) == [
        "parents of deep: expected risks only, got ('cause',).",
        "cause wide: expected two states, got ('none', 'some', 'much').",
    ]


def test_a_risk_that_changes_nothing_is_no_parent() -> None:
    same = TableCPD("cause", ("risk",), np.array([RARE, RARE]))
    model = compile_diagnosis(Network([RISK[0], CAUSE[0], PAIN[0]], [RISK[1], same, PAIN[1]]))
    assert model.cause_parents == ((),)
    assert posteriors(model, no_evidence(model, 1)).causes[0, 0] == pytest.approx(0.1, abs=1e-15)


def test_compiled_numbers_cannot_be_changed() -> None:
    """A model is shared between threads."""
    numbers = list(_float_arrays(compile_diagnosis(random_network(np.random.default_rng(3)))))
    assert len(numbers) > 5
    assert [array for array in numbers if array.flags.writeable] == []


def _float_arrays(value: object) -> Iterator[np.ndarray]:
    if isinstance(value, np.ndarray) and value.dtype == np.float64:
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _float_arrays(part)
    elif is_dataclass(value) and not isinstance(value, Network):
        for one in fields(value):
            yield from _float_arrays(getattr(value, one.name))
