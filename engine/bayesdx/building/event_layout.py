"""Which links there are, events in columns and the causes of each in slots; what is stated of them.

An *event* is a finding present, or an ordinal finding at or above a threshold. Thresholds of one
ordinal finding make a chain and share their slots, so that what is stated of a higher one can be
compared with the lower ones slot by slot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bayesdx.building.backgrounds import is_gated
from bayesdx.building.feasibility import UpperLayers
from bayesdx.building.fitting import (
    ALONE,
    IN_POPULATION,
    NET,
    STRONGEST,
    LinkParameters,
    Targets,
)
from bayesdx.inference.noisy.model import FloatArray, IntArray
from bayesdx.knowledge.addresses import Address
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.schema import Finding

_READINGS = {"in_population": IN_POPULATION, "alone": ALONE, "net": NET}


@dataclass(frozen=True, eq=False)
class EventLayout:
    """E events and the causes that they are linked to.

    Attributes
    ----------
    events, causes : tuples of str
        Events and modelled causes, in the order of the knowledge.
    slots : int array (K, E)
        Position among `causes` of the links of each event or of its chain, rising; -1 if empty.
    chain : int array (E,)
        Label that the thresholds of one ordinal finding share.
    row : mapping of str to int
        Position of each event.
    level : mapping of str to (str, int)
        Ordinal finding and level, from 1, of each threshold.
    thresholds : mapping of str to tuple of str
        Thresholds of each ordinal finding, by rising level.
    hidden : tuple of str
        Events whose background depends on risks.
    """

    events: tuple[str, ...]
    causes: tuple[str, ...]
    slots: IntArray
    chain: IntArray
    row: Mapping[str, int]
    level: Mapping[str, tuple[str, int]]
    thresholds: Mapping[str, tuple[str, ...]]
    hidden: tuple[str, ...]

    def same_links(self, other: EventLayout) -> bool:
        """Whether what was solved for one fits the other."""
        return (
            self.events == other.events
            and self.causes == other.causes
            and np.array_equal(self.slots, other.slots)
        )

    def links(self, rows: IntArray) -> IntArray:
        """Return the slots of n events, (k, n), without those that are empty in all of them."""
        slots = self.slots[:, rows]
        return slots[: int((slots >= 0).sum(axis=0).max(initial=0))]

    def pairs(self) -> list[tuple[int, int]]:
        """Rows of neighbouring thresholds, the lower first, by rising level."""
        rows = ([self.row[name] for name in names] for names in self.thresholds.values())
        return [pair for one in rows for pair in pairwise(one)]


def threshold_chain(knowledge: Knowledge, ordinal: Finding) -> tuple[str, ...]:
    """Ids of an ordinal's thresholds by rising level."""
    found = [f for f in knowledge.findings.values() if f.threshold_of == ordinal.id]
    return tuple(f.id for f in sorted(found, key=lambda f: ordinal.states.index(f.at_least or "")))


def event_layout(knowledge: Knowledge) -> EventLayout:
    """Lay out the events of a knowledge folder."""
    findings = knowledge.findings
    events = tuple(name for name, one in findings.items() if one.has_probability)
    causes = tuple(name for name, cause in knowledge.causes.items() if cause.kind == "cause")
    row = {name: i for i, name in enumerate(events)}
    thresholds = {
        name: threshold_chain(knowledge, one)
        for name, one in findings.items()
        if one.kind == "ordinal"
    }
    chain = np.arange(len(events))
    for names in thresholds.values():
        chain[[row[name] for name in names]] = min(row[name] for name in names)
    linked: list[set[int]] = [set() for _ in events]
    for c, name in enumerate(causes):
        for finding in knowledge.causes[name].links:
            linked[chain[row[finding]]].add(c)
    slots = np.full((max(map(len, linked), default=0), len(events)), -1, dtype=np.intp)
    for e in range(len(events)):
        found = sorted(linked[chain[e]])
        slots[: len(found), e] = found
    return EventLayout(
        events=events,
        causes=causes,
        slots=slots,
        chain=chain,
        row=row,
        level={
            name: (ordinal, findings[ordinal].states.index(findings[name].at_least or ""))
            for ordinal, names in thresholds.items()
            for name in names
        },
        thresholds=thresholds,
        hidden=tuple(name for name in events if findings[name].background_effects),
    )


def event_targets(upper: UpperLayers, layout: EventLayout, rows: IntArray) -> Targets:
    """Collect what the network has to give back of some events under D draws.

    Parameters
    ----------
    upper : UpperLayers
        D draws of the numbers.
    layout : EventLayout
    rows : int array (n,)
        The events.

    Returns
    -------
    Targets
        Of n D fits, the draws of an event side by side.
    """
    knowledge, values = upper.knowledge, upper.values
    slots = layout.links(rows)
    shape = (*slots.shape, len(upper))
    stated, prior, reading = np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=np.intp)
    linked = np.zeros(shape, dtype=bool)
    background, extra = np.zeros(shape[1:]), np.zeros(shape[1:])
    floor, ceiling = _floor(upper, layout, rows), np.full(shape[1:], STRONGEST)
    may_inhibit = np.zeros(shape[1:], dtype=bool)
    for i, row in enumerate(rows):
        name = layout.events[row]
        finding = knowledge.findings[name]
        for k, slot in enumerate(slots[:, i]):
            cause = layout.causes[slot]
            link = knowledge.causes[cause].links.get(name) if slot >= 0 else None
            if link is not None:
                linked[k, i] = True
                stated[k, i] = values[Address("link", cause, name)]
                prior[k, i] = values[Address("prior", cause)]
                reading[k, i] = _READINGS[link.parameterisation]
        background[i] = values[Address("background", name)]
        if name in layout.hidden:
            extra[i] = upper.mean(upper.background(name))
        if is_gated(finding):
            # All of the background lies in the extra source: a leak would cross the gate.
            ceiling[i] = 0.0
        may_inhibit[i] = finding.kind == "binary" and name not in layout.hidden
    return Targets(
        *(one.reshape(len(slots), background.size) for one in (prior, stated, linked, reading)),
        *(one.ravel() for one in (background, floor, ceiling, extra, may_inhibit)),
    )


def _floor(upper: UpperLayers, layout: EventLayout, rows: IntArray) -> FloatArray:
    """Smallest leak of n events under D draws, (n, D); 0 of those whose risks can rule them out."""
    share, findings = upper.knowledge.model.leak_floor, upper.knowledge.findings
    floor = np.zeros((len(rows), len(upper)))
    for i, row in enumerate(rows):
        name = layout.events[row]
        if not is_gated(findings[name]):
            floor[i] = share * upper.values[Address("background", name)]
    return floor


def coherent(
    upper: UpperLayers, layout: EventLayout, rows: IntArray, p: LinkParameters
) -> LinkParameters:
    """A higher level implies the lower ones: raise what is stated of a lower level too low.

    What lies between two thresholds keeps the floor's share of what is stated of it.

    Parameters
    ----------
    upper : UpperLayers
        D draws of the numbers.
    layout : EventLayout
    rows : int array (n,)
        Events, with all thresholds of an ordinal finding or none.
    p : LinkParameters
        Of n D fits, the draws of an event side by side.
    """
    leak, floor = p.leak.reshape(len(rows), -1).copy(), _floor(upper, layout, rows)
    strength = p.strength.reshape(-1, *leak.shape).copy()
    at = {int(row): i for i, row in enumerate(rows)}
    for lower, higher in reversed(layout.pairs()):
        if lower in at:
            low, high = at[lower], at[higher]
            strength[:, low] = np.maximum(strength[:, low], strength[:, high])
            between = np.maximum(floor[low] - floor[high], 0.0)
            leak[low] = np.maximum(leak[low], leak[high] + between)
    return LinkParameters(strength.reshape(p.strength.shape), p.factor, leak.ravel())
