"""Knowledge made a network: here *what clinicians wrote* meets *how it is answered*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayesdx.building.event_layout import EventLayout, coherent, event_layout, event_targets
from bayesdx.building.feasibility import UpperLayers, knowledge_values
from bayesdx.building.fitting import Fit, LinkParameters, Rates, Targets, fit
from bayesdx.inference.evidence import Evidence, no_evidence
from bayesdx.inference.noisy.compiling import compile_diagnosis
from bayesdx.inference.noisy.model import (
    FloatArray,
    IntArray,
    NoisyModel,
)
from bayesdx.inference.noisy.query import posteriors
from bayesdx.knowledge.addresses import Address
from bayesdx.knowledge.conditioning import CauseTable
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.network.cpds import CPD, AnyOfCPD, NoisyMaxCPD, NoisyOrCPD, TableCPD
from bayesdx.network.network import Network
from bayesdx.network.variables import Variable

#: Name of the hidden cause that carries a risk-dependent background of a finding.
BACKGROUND = "background:{}"
#: Most rounds of correction by the exact engine.
CORRECTIONS = 8
#: A number counts as given back within this distance.
MISSED = 1e-8


@dataclass(frozen=True, slots=True)
class EventFit:
    """How well the network gives back what is stated of one finding or threshold.

    Attributes
    ----------
    event : str
    background, modelled : float
        Stated background, and the network's P(event | cause absent) in the mean over causes.
    leak : float
    over_explained : bool
        The causes alone exceed the background; the leak is at its floor.
    links : tuple of (cause, stated, modelled)
        P(event | cause) as stated and as the network has it.
    """

    event: str
    background: float
    modelled: float
    leak: float
    over_explained: bool
    links: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, eq=False)
class FittedLinks:
    """The fit of the stated numbers: R events, one draw."""

    layout: EventLayout
    targets: Targets
    fit: Fit


@dataclass(frozen=True, eq=False)
class Assembly:
    """The network of a knowledge folder, compiled, with an account of the fit."""

    network: Network
    model: NoisyModel
    fits: Mapping[str, EventFit]
    links: FittedLinks


def fit_remarks(assembly: Assembly) -> tuple[tuple[str, str, str], ...]:
    """Say where the network cannot give back what is stated, with both numbers.

    Returns
    -------
    tuple of (severity, place, message)
        In the form of `bayesdx.knowledge.linting`.
    """
    remarks = []
    for one in assembly.fits.values():
        if one.over_explained:
            message = (
                f"stated {one.background:g}, the network gives {one.modelled:.4g}: "
                f"over-explained, its causes alone exceed it (leak at its floor, {one.leak:.3g})."
            )
            remarks.append(("info", str(Address("background", one.event)), message))
        for cause, stated, modelled in one.links:
            if abs(stated - modelled) > MISSED:
                message = (
                    f"stated {stated:g}, the network gives {modelled:.4g}: out of reach, since "
                    "other causes and the background exceed it."
                )
                remarks.append(("info", str(Address("link", cause, one.event)), message))
    return tuple(remarks)


def assemble(knowledge: Knowledge, start: FittedLinks | None = None) -> Assembly:
    """Build and compile the network of a knowledge folder.

    Parameters
    ----------
    knowledge : Knowledge
    start : FittedLinks, optional
        Of similar knowledge; the fit then begins there and takes fewer rounds. Without effect when
        its events or causes differ.

    Returns
    -------
    Assembly
        The network gives back every stated prior exactly; backgrounds and link probabilities to
        1e-9 where they can be reached together, see ``Assembly.fits``.

    Raises
    ------
    InvalidKnowledge
        If a probability would have to exceed 1.
    """
    upper = UpperLayers(knowledge, knowledge_values(knowledge))
    upper.refuse_misfits()
    layout = event_layout(knowledge)
    rows = np.arange(len(layout.events))
    targets = event_targets(upper, layout, rows)
    ratio, first = Rates(np.ones_like(targets.stated), np.ones_like(targets.stated)), None
    if start is not None and start.layout.same_links(layout):
        ratio, first = start.fit.ratio, start.fit.parameters
    build = NetworkBuilder(upper, layout)

    def ask(p: LinkParameters, left: IntArray) -> Rates:
        model = compile_diagnosis(build.network(left, p.take(left)))
        return _exact_rates(model, layout, targets.prior, left)

    fitted = fit(targets, ratio, first, ask, layout.chain, CORRECTIONS)
    network = build.network(rows, fitted.parameters)
    fits = _event_fits(
        layout, targets, coherent(upper, layout, rows, fitted.parameters), fitted.exact
    )
    links = FittedLinks(layout, targets, fitted)
    return Assembly(network, compile_diagnosis(network), fits, links)


class NetworkBuilder:
    """Builds networks of all risks and causes and of some findings.

    Parameters
    ----------
    upper : UpperLayers
        One draw.
    layout : EventLayout
    """

    def __init__(self, upper: UpperLayers, layout: EventLayout) -> None:
        self._knowledge = knowledge = upper.knowledge
        self._upper, self._layout = upper, layout
        self._variables = [Variable(name, risk.states) for name, risk in knowledge.risks.items()]
        self._cpds: list[CPD] = [
            TableCPD(name, (), np.array(risk.probabilities))
            for name, risk in knowledge.risks.items()
        ]
        for name in layout.causes:
            self._variables.append(Variable(name))
            self._cpds.append(_binary(name, upper.cause(name)))
        self._hidden = {
            name: _binary(BACKGROUND.format(name), upper.background(name)) for name in layout.hidden
        }

    def network(self, rows: IntArray, p: LinkParameters) -> Network:
        """Build the network of the findings that some events belong to.

        Parameters
        ----------
        rows : int array (n,)
            Events, with all thresholds of an ordinal finding or none.
        p : LinkParameters
            Of these events, as solved.
        """
        layout, knowledge = self._layout, self._knowledge
        p = coherent(self._upper, layout, rows, p)
        at = {layout.events[row]: i for i, row in enumerate(rows)}
        hidden = [cpd for name, cpd in self._hidden.items() if name in at]
        variables = [*self._variables, *(Variable(cpd.child) for cpd in hidden)]
        cpds: list[CPD] = [*self._cpds, *hidden]
        for finding in knowledge.findings.values():
            if finding.kind == "binary" and finding.id in at:
                variables.append(Variable(finding.id))
                cpds.append(self._noisy_or(finding.id, p, at[finding.id]))
            elif finding.kind == "ordinal" and layout.thresholds[finding.id][0] in at:
                levels = [at[name] for name in layout.thresholds[finding.id]]
                slots = layout.slots[:, rows[levels[0]]]
                acting = np.flatnonzero((p.strength[:, levels] > 0.0).any(axis=1))
                causes = tuple(layout.causes[slots[k]] for k in acting)
                variables.append(Variable(finding.id, finding.states))
                cpds.append(
                    NoisyMaxCPD(finding.id, causes, p.strength[acting][:, levels], p.leak[levels])
                )
        for group in knowledge.groups.values():
            members = tuple(name for name in group.members if name in layout.causes)
            variables.append(Variable(f"group:{group.id}"))
            cpds.append(AnyOfCPD(f"group:{group.id}", members))
        return Network(variables, cpds)

    def _noisy_or(self, name: str, p: LinkParameters, column: int) -> NoisyOrCPD:
        layout = self._layout
        slots = layout.slots[:, layout.row[name]]
        acting = np.flatnonzero(p.strength[:, column] > 0.0)
        lowering = np.flatnonzero(p.factor[:, column] < 1.0)
        extra = (BACKGROUND.format(name),) if name in layout.hidden else ()
        return NoisyOrCPD(
            name,
            tuple(layout.causes[slots[k]] for k in acting) + extra,
            np.append(p.strength[acting, column], np.ones(len(extra))),
            float(p.leak[column]),
            tuple(layout.causes[slots[k]] for k in lowering),
            p.factor[lowering, column],
        )


def _binary(name: str, found: CauseTable) -> TableCPD:
    present = found.table[..., 0]
    return TableCPD(name, found.risks, np.stack([1.0 - present, present], axis=-1))


def _exact_rates(
    model: NoisyModel, layout: EventLayout, prior: FloatArray, rows: IntArray
) -> Rates:
    """Ask the engine for P(event | cause) and P(event | no cause), one case an event.

    The cases observe that the event did *not* happen: nothing then couples their causes but
    shared risks. Only causes linked to the event are asked, which leaves few of those.
    """
    at = np.array([model.causes.index(name) for name in layout.causes], dtype=np.intp)
    where = np.arange(len(rows)), at[layout.slots[:, rows]]
    asked = np.zeros((len(rows), len(model.causes)), dtype=bool)
    slot, case = np.nonzero(layout.slots[:, rows] >= 0)
    asked[case, at[layout.slots[slot, rows[case]]]] = True
    # One backend: the same numbers give the same network, whatever is at hand in the process.
    events = no_events(model, layout, rows)
    answer = posteriors(model, events, asked=asked, backend="numpy").complete()
    spared = np.exp(answer.log_evidence)
    joint = answer.causes[where] * spared
    return rates_without(spared, joint, prior[:, rows])


def no_events(model: NoisyModel, layout: EventLayout, rows: IntArray) -> Evidence:
    """Return cases that observe that one event each did not happen."""
    evidence = no_evidence(model, len(rows))
    for case, row in enumerate(rows):
        name = layout.events[row]
        ordinal, level = layout.level.get(name, (None, 0))
        if ordinal is None:
            evidence.findings[case, model.findings.index(name)] = 0.0
        else:
            evidence.upper[case, model.ordinals.index(ordinal)] = level - 1
    return evidence


def rates_without(spared: FloatArray, joint: FloatArray, prior: FloatArray) -> Rates:
    """Return rates (K, R) from P(no event), (R,), and P(no event, cause); 0 in empty slots."""
    present = np.divide(joint, prior, out=np.ones_like(joint), where=prior > 0.0)
    absent = np.where(prior > 0.0, (spared - joint) / (1.0 - prior), 1.0)
    return Rates(1.0 - present, 1.0 - absent)


def _event_fits(
    layout: EventLayout, targets: Targets, p: LinkParameters, exact: Rates
) -> dict[str, EventFit]:
    mean = (targets.weights * exact.absent).sum(axis=0)
    linked = targets.linked
    fits = {}
    for row, event in enumerate(layout.events):
        background = float(targets.background[row])
        modelled = float(mean[row]) if linked[:, row].any() else background
        fits[event] = EventFit(
            event=event,
            background=background,
            modelled=modelled,
            leak=float(p.leak[row]),
            over_explained=modelled > background + 1e-9,
            links=tuple(
                (
                    layout.causes[layout.slots[k, row]],
                    float(targets.stated[k, row]),
                    float(exact.present[k, row]),
                )
                for k in np.flatnonzero(linked[:, row])
            ),
        )
    return fits
