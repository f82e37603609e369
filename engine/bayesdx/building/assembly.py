"""Knowledge made a network: here *what clinicians wrote* meets *how it is answered*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bayesdx.building.fitting import (
    LinkParameters,
    Rates,
    Targets,
    independent_rates,
    solve,
)
from bayesdx.building.targets import Extra, build_extra, build_targets
from bayesdx.inference import (
    Evidence,
    NoisyModel,
    compile_diagnosis,
    no_evidence,
    posteriors,
)
from bayesdx.knowledge import Finding, Knowledge
from bayesdx.knowledge.conditioning import conditional_prior
from bayesdx.network import (
    CPD,
    AnyOfCPD,
    Network,
    NoisyMaxCPD,
    NoisyOrCPD,
    TableCPD,
    Variable,
)

#: Name of the hidden cause that carries a risk-dependent background of a finding.
BACKGROUND = "background:{}"
#: Most rounds of correction by the exact engine; each gains about four digits.
_CORRECTIONS = 8
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
    """The last round of the fit, for derivatives of what it solved.

    Attributes
    ----------
    events, causes : tuple of str
        Rows and columns of every array.
    targets : Targets
    ratio : Rates
        See `fitting.solve`.
    parameters : LinkParameters
        As solved, before thresholds of one ordinal finding were made monotone.
    """

    events: tuple[str, ...]
    causes: tuple[str, ...]
    targets: Targets
    ratio: Rates
    parameters: LinkParameters


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
        In the form of `bayesdx.knowledge.lint`.
    """
    remarks = []
    for fit in assembly.fits.values():
        if fit.over_explained:
            message = (
                f"stated {fit.background:g}, the network gives {fit.modelled:.4g}: "
                f"over-explained, its causes alone exceed it (leak at its floor, {fit.leak:.3g})."
            )
            remarks.append(("info", f"findings.toml:{fit.event}.background", message))
        for cause, stated, modelled in fit.links:
            if abs(stated - modelled) > MISSED:
                message = (
                    f"stated {stated:g}, the network gives {modelled:.4g}: out of reach, since "
                    "other causes and the background exceed it."
                )
                remarks.append(("info", f"causes/{cause}.toml:links.{fit.event}", message))
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
    """
    events = [f for f in knowledge.findings.values() if f.has_probability]
    causes = [name for name, cause in knowledge.causes.items() if cause.kind == "cause"]
    extras = {f.id: build_extra(knowledge, f) for f in events if f.background_effects}
    targets = build_targets(knowledge, events, causes, extras)
    ratio = Rates(np.ones_like(targets.stated), np.ones_like(targets.stated))
    first: LinkParameters | None = None
    names = tuple(event.id for event in events), tuple(causes)
    if start is not None and (start.events, start.causes) == names:
        ratio, first = start.ratio, start.parameters
    parameters = solve(targets, ratio, first)
    for _ in range(_CORRECTIONS):
        coherent = _monotone_thresholds(knowledge, events, parameters)
        network = _network(knowledge, events, causes, extras, coherent)
        model = compile_diagnosis(network)
        exact = _exact_rates(model, knowledge, events, causes, targets)
        if _missed(targets, coherent, exact) < 5e-10:
            break
        assumed = independent_rates(targets, parameters)
        ratio = Rates(
            (1.0 - exact.present) / (1.0 - assumed.present),
            (1.0 - exact.absent) / (1.0 - assumed.absent),
        )
        parameters = solve(targets, ratio, parameters)
    fits = _fits(events, causes, targets, coherent, exact)
    return Assembly(network, model, fits, FittedLinks(*names, targets, ratio, parameters))


def _missed(targets: Targets, p: LinkParameters, exact: Rates) -> float:
    """Largest distance from what is stated, among what the parameters can still change."""
    free = (p.strength > 0.0) | ((p.factor < 1.0) & (p.factor > 0.0))
    links = np.abs(exact.present - targets.stated)[targets.linked & free]
    mean = (targets.weights * exact.absent).sum(axis=1)
    inside = (p.leak > targets.floor) & (p.leak < targets.ceiling) & targets.linked.any(axis=1)
    backgrounds = np.abs(mean - targets.background)[inside]
    return max(float(links.max(initial=0.0)), float(backgrounds.max(initial=0.0)))


def threshold_chain(knowledge: Knowledge, ordinal: Finding) -> list[str]:
    """Ids of an ordinal's thresholds by rising level."""
    found = [f for f in knowledge.findings.values() if f.threshold_of == ordinal.id]
    return [f.id for f in sorted(found, key=lambda f: ordinal.states.index(f.at_least or ""))]


def threshold_pairs(knowledge: Knowledge) -> list[tuple[str, str]]:
    """Pairs of neighbouring thresholds of ordinal findings, the lower first, by rising level."""
    return [
        pair
        for ordinal in knowledge.findings.values()
        if ordinal.kind == "ordinal"
        for pair in pairwise(threshold_chain(knowledge, ordinal))
    ]


def _monotone_thresholds(
    knowledge: Knowledge, events: list[Finding], p: LinkParameters
) -> LinkParameters:
    """A higher level implies the lower ones: raise what is stated of a lower level too low."""
    row = {event.id: i for i, event in enumerate(events)}
    strength, leak = p.strength.copy(), p.leak.copy()
    for lower, higher in reversed(threshold_pairs(knowledge)):
        at, above = row[lower], row[higher]
        strength[at] = np.maximum(strength[at], strength[above])
        leak[at] = max(leak[at], leak[above])
    return LinkParameters(strength, p.factor, leak)


def _network(
    knowledge: Knowledge,
    events: list[Finding],
    causes: list[str],
    extras: Mapping[str, Extra],
    p: LinkParameters,
) -> Network:
    variables, cpds = _upper_layers(knowledge, causes, extras)
    row = {event.id: i for i, event in enumerate(events)}
    for finding in knowledge.findings.values():
        if finding.kind == "binary":
            variables.append(Variable(finding.id))
            cpds.append(_noisy_or(finding.id, causes, p, row[finding.id], finding.id in extras))
        elif finding.kind == "ordinal":
            levels = [row[name] for name in threshold_chain(knowledge, finding)]
            variables.append(Variable(finding.id, finding.states))
            cpds.append(_noisy_max(finding.id, causes, p, levels))
    for group in knowledge.groups.values():
        members = tuple(name for name in group.members if name in causes)
        variables.append(Variable(f"group:{group.id}"))
        cpds.append(AnyOfCPD(f"group:{group.id}", members))
    return Network(variables, cpds)


def _upper_layers(
    knowledge: Knowledge, causes: list[str], extras: Mapping[str, Extra]
) -> tuple[list[Variable], list[CPD]]:
    variables = [Variable(name, risk.states) for name, risk in knowledge.risks.items()]
    cpds: list[CPD] = [
        TableCPD(name, (), np.array(risk.probabilities)) for name, risk in knowledge.risks.items()
    ]
    tables = {
        name: (prior.risks, prior.table)
        for name in causes
        for prior in [conditional_prior(knowledge.causes[name], knowledge.risks)]
    }
    tables |= {BACKGROUND.format(name): (e.risks, e.table) for name, e in extras.items()}
    for name, (risks, table) in tables.items():
        variables.append(Variable(name))
        cpds.append(TableCPD(name, risks, np.stack([1.0 - table, table], axis=-1)))
    return variables, cpds


def _noisy_or(
    name: str, causes: list[str], p: LinkParameters, row: int, has_extra: bool
) -> NoisyOrCPD:
    acting, lowering = np.flatnonzero(p.strength[row] > 0), np.flatnonzero(p.factor[row] < 1)
    extra = (BACKGROUND.format(name),) if has_extra else ()
    return NoisyOrCPD(
        name,
        tuple(causes[c] for c in acting) + extra,
        np.append(p.strength[row, acting], np.ones(len(extra))),
        float(p.leak[row]),
        tuple(causes[c] for c in lowering),
        p.factor[row, lowering],
    )


def _noisy_max(name: str, causes: list[str], p: LinkParameters, levels: list[int]) -> NoisyMaxCPD:
    acting = np.flatnonzero((p.strength[levels] > 0).any(axis=0))
    return NoisyMaxCPD(
        name,
        tuple(causes[c] for c in acting),
        p.strength[levels][:, acting].T,
        p.leak[levels],
    )


def _exact_rates(
    model: NoisyModel,
    knowledge: Knowledge,
    events: list[Finding],
    causes: list[str],
    targets: Targets,
) -> Rates:
    """Ask the engine for P(event | cause) and P(event | no cause), one case an event.

    The cases observe that the event did *not* happen: nothing then couples their causes but
    shared risks, so all cases have the same structure and are answered as one block.
    """
    answer = posteriors(model, _no_event_each(model, knowledge, events)).complete()
    at = [model.causes.index(name) for name in causes]
    spared = np.exp(answer.log_evidence)[:, None]
    joint = answer.causes[:, at] * spared
    return Rates(1.0 - joint / targets.prior, 1.0 - (spared - joint) / (1.0 - targets.prior))


def _no_event_each(model: NoisyModel, knowledge: Knowledge, events: list[Finding]) -> Evidence:
    evidence = no_evidence(model, len(events))
    for row, event in enumerate(events):
        if event.kind == "binary":
            evidence.findings[row, model.findings.index(event.id)] = 0.0
        else:
            o = model.ordinals.index(event.threshold_of or "")
            states = knowledge.findings[event.threshold_of or ""].states
            evidence.upper[row, o] = states.index(event.at_least or "") - 1
    return evidence


def _fits(
    events: list[Finding], causes: list[str], targets: Targets, p: LinkParameters, exact: Rates
) -> dict[str, EventFit]:
    mean = (targets.weights * exact.absent).sum(axis=1)
    linked = targets.linked
    fits = {}
    for row, event in enumerate(events):
        background = float(targets.background[row])
        modelled = float(mean[row]) if linked[row].any() else background
        fits[event.id] = EventFit(
            event=event.id,
            background=background,
            modelled=modelled,
            leak=float(p.leak[row]),
            over_explained=modelled > background + 1e-9,
            links=tuple(
                (causes[c], float(targets.stated[row, c]), float(exact.present[row, c]))
                for c in np.flatnonzero(linked[row])
            ),
        )
    return fits
