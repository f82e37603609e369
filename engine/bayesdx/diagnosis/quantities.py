"""Probabilities that statements speak of, and how they move with the stated numbers.

Every P(event | given) is a ratio of evidence probabilities: the sum over the event's states of
P(state, given), over P(given); of a group, one minus the same with every member absent. So one
batch of cases answers all quantities, and one gradient differentiates them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bayesdx.building.assembly import Assembly
from bayesdx.building.sensitivity import number_gradient
from bayesdx.diagnosis.cases import CaseReader
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.model import BoolArray, FloatArray, IntArray
from bayesdx.inference.noisy.query import posteriors
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.statement_schema import read_event


@dataclass(frozen=True)
class Quantity:
    """P(event | given).

    Attributes
    ----------
    event : str
        A cause, a group, a finding or risk (present, or ``name:state|state``).
    given : tuple of (name, state)
    """

    event: str
    given: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        held = ", ".join(f"{name}={state}" for name, state in self.given)
        return f"P({self.event} | {held})" if held else f"P({self.event})"


@dataclass(frozen=True, eq=False)
class Batch:
    """Cases that answer Q quantities.

    Attributes
    ----------
    evidence : Evidence
        Of N cases; the first Q are the conditions.
    part : int array (M,)
        Case of each further piece of a numerator.
    owner : int array (M,)
        Quantity that the piece belongs to.
    complement : bool array (Q,)
        Whether the pieces say how probable it is that the event is *not*.
    """

    evidence: Evidence
    part: IntArray
    owner: IntArray
    complement: BoolArray


def make_batch(knowledge: Knowledge, assembly: Assembly, quantities: Sequence[Quantity]) -> Batch:
    """Lay out the cases that answer quantities.

    Parameters
    ----------
    knowledge : Knowledge
    assembly : Assembly
        Of this knowledge, or of one with the same names.
    quantities : sequence of Quantity
        Q of them; their names must be known.
    """
    rows = [dict(quantity.given) for quantity in quantities]
    clamps: list[tuple[int, ...]] = [()] * len(rows)
    owner: list[int] = []
    for q, quantity in enumerate(quantities):
        for row, clamp in _pieces(knowledge, assembly, quantity):
            rows.append(row)
            clamps.append(clamp)
            owner.append(q)
    is_group = [quantity.event in knowledge.groups for quantity in quantities]
    evidence = _read(knowledge, assembly, rows)
    causes = evidence.causes.copy()
    for n, q in enumerate(owner, start=len(quantities)):
        causes[n, list(clamps[n])] = 0 if is_group[q] else 1
    part = np.arange(len(quantities), len(rows), dtype=np.intp)
    clamped = Evidence(evidence.findings, evidence.lower, evidence.upper, evidence.risks, causes)
    return Batch(clamped, part, np.array(owner, dtype=np.intp), np.array(is_group, dtype=bool))


def _pieces(
    knowledge: Knowledge, assembly: Assembly, quantity: Quantity
) -> list[tuple[dict[str, str], tuple[int, ...]]]:
    """Return the cases, with the causes clamped in them, that the event is made of."""
    given, position = dict(quantity.given), assembly.model.causes.index
    subject, states = read_event(quantity.event)
    if subject in knowledge.causes:
        # An excluded diagnosis is no part of the network and never present.
        modelled = knowledge.causes[subject].kind == "cause"
        return [(given, (position(subject),))] if modelled else []
    if subject in knowledge.groups:
        return [(given, tuple(map(position, knowledge.groups[subject].members)))]
    # A condition that contradicts the event leaves nothing of it.
    kept = [state for state in states if given.get(subject, state) == state]
    return [({**given, subject: state}, ()) for state in kept]


def _read(knowledge: Knowledge, assembly: Assembly, rows: list[dict[str, str]]) -> Evidence:
    names = dict.fromkeys(name for row in rows for name in row)
    columns: Mapping[str, list[str | None]] = {
        name: [row.get(name) for row in rows] for name in names
    }
    return CaseReader(knowledge, assembly.model).read(columns, len(rows), None).evidence


def probabilities(assembly: Assembly, batch: Batch) -> FloatArray:
    """Answer a batch of quantities.

    Returns
    -------
    array (Q,)
        0 where the condition is impossible in the model.
    """
    log_evidence = (
        posteriors(assembly.model, batch.evidence, only_evidence=True).complete().log_evidence
    )
    return _probabilities(batch, _ratios(batch, log_evidence))


def _ratios(batch: Batch, log_evidence: FloatArray) -> FloatArray:
    before = log_evidence[batch.owner]
    gap = np.full(len(before), -np.inf)
    np.subtract(log_evidence[batch.part], before, out=gap, where=~np.isneginf(before))
    shares: FloatArray = np.exp(gap)
    return shares


def _probabilities(batch: Batch, ratios: FloatArray) -> FloatArray:
    total = np.bincount(batch.owner, weights=ratios, minlength=len(batch.complement))
    return np.clip(np.where(batch.complement, 1.0 - total, total), 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Slopes:
    """Q probabilities and their derivatives by the log-odds of X numbers, (Q, X)."""

    places: tuple[str, ...]
    probabilities: FloatArray
    values: FloatArray


def slopes(knowledge: Knowledge, assembly: Assembly, batch: Batch) -> Slopes:
    """Differentiate a batch of quantities by the stated numbers.

    Parameters
    ----------
    knowledge : Knowledge
    assembly : Assembly
        Of this knowledge.
    batch : Batch
    """
    gradient = number_gradient(knowledge, assembly, batch.evidence)
    ratios = _ratios(batch, gradient.log_evidence)
    change = gradient.values[batch.part] - gradient.values[batch.owner]
    values = np.zeros((len(batch.complement), gradient.values.shape[1]))
    np.add.at(values, batch.owner, ratios[:, None] * change)
    values[batch.complement] *= -1.0
    return Slopes(gradient.places, _probabilities(batch, ratios), values)
