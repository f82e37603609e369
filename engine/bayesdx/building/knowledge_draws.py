"""The network of a knowledge folder under many sets of its stated numbers.

A set of numbers becomes parameters of the network as in an assembly (`bayesdx.building.assembly`),
but for all sets at once and only where a case asks: what does not depend on a case, tables of the
causes and risks, is made once; strengths, inhibitors and leaks of a finding are solved for when a
case first speaks of the finding, and kept.

Causes share risks, for which an assembly corrects its fit by exact answers of the network. Here
that correction (`fitting.Rates`, a ratio) is the one of the stated numbers for every set, unless
rounds of correction of each set's own are asked for. How little that changes is measured in
``benchmarks/quality``.

Memory, for D sets: 8 bytes times D for every number, table entry, link (twice) and leak; for the
packaged knowledge (677 numbers, 102 findings and thresholds, 441 links) and 2,000 sets about 35 MB
when every finding has been asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from bayesdx.building.assembly import BACKGROUND, Assembly, threshold_chain
from bayesdx.building.feasibility import UpperLayers, Values, upper_layers
from bayesdx.building.fitting import LinkParameters, Rates, Targets, independent_rates
from bayesdx.building.row_fitting import solve_rows
from bayesdx.building.targets import is_gated
from bayesdx.inference import Answer, Evidence, no_evidence
from bayesdx.inference.noisy.draws import LanePlans, LinkDraws, ParameterDraws, posteriors_under
from bayesdx.inference.noisy.model import FloatArray, IntArray
from bayesdx.inference.noisy.query import Backend
from bayesdx.knowledge import Finding, Knowledge
from bayesdx.knowledge.draft import cause_file

#: A round of correction that moves no rate by more than this is the last.
_SETTLED = 5e-10


@dataclass(frozen=True, eq=False)
class KnowledgeDraws:
    """D sets of stated numbers, ready to be asked about cases.

    Attributes
    ----------
    knowledge : Knowledge
    assembly : Assembly
        Of the stated numbers.
    upper : UpperLayers
        Numbers, risks and causes under every set.
    corrections : int
        Most rounds of correction for causes that share risks; 0 takes the assembly's own.
    backend : str
        See `bayesdx.inference.noisy.draws.posteriors_under`.
    """

    knowledge: Knowledge
    assembly: Assembly
    upper: UpperLayers
    corrections: int = 0
    backend: Backend = "auto"
    _events: dict[str, LinkDraws] = field(default_factory=dict, repr=False)
    _plans: LanePlans = field(default_factory=LanePlans, repr=False)
    _tables: list[tuple[tuple[tuple[int, ...], ...], tuple[FloatArray, ...]]] = field(
        default_factory=list, repr=False
    )

    def __len__(self) -> int:
        return int(next(iter(self.upper.values.values())).shape[-1])

    def answer(self, evidence: Evidence, sets: IntArray | None = None) -> Answer:
        """Answer one case under every set, or under some.

        Parameters
        ----------
        evidence : Evidence
            One case; causes may be clamped.
        sets : int array, optional
            Which sets; all when not given.

        Returns
        -------
        Answer
            A row a set; see `bayesdx.inference.noisy.draws.posteriors_under`.
        """
        model, parameters = self.assembly.model, self.parameters(evidence)
        if sets is None:
            return posteriors_under(model, evidence, parameters, self._plans, self.backend)
        return posteriors_under(model, evidence, parameters.take(sets), None, self.backend)

    def parameters(self, evidence: Evidence) -> ParameterDraws:
        """Return the parameters that one case asks for.

        Parameters
        ----------
        evidence : Evidence
            One case.

        Returns
        -------
        ParameterDraws
            Of D draws, with the findings and ordinals that the case speaks of.
        """
        model = self.assembly.model
        asked = np.flatnonzero(~np.isnan(evidence.findings[0])).tolist()
        ordinals = {}
        for o, name in enumerate(model.ordinals):
            if evidence.lower[0, o] > 0 or evidence.upper[0, o] < model.ordinal_sizes[o] - 1:
                chain = threshold_chain(self.knowledge, self.knowledge.findings[name])
                ordinals[o] = tuple(self.event(one) for one in chain)
        parents, tables = self._cause_tables()
        return ParameterDraws(
            findings={f: self.event(model.findings[f]) for f in asked},
            ordinals=ordinals,
            parents=parents,
            tables=tables,
            risk_priors=tuple(self.upper.shares[name] for name in model.risks),
        )

    def _cause_tables(self) -> tuple[tuple[tuple[int, ...], ...], tuple[FloatArray, ...]]:
        if not self._tables:
            model = self.assembly.model
            tables = dict(self.upper.causes)
            tables |= {BACKGROUND.format(name): one for name, one in self.upper.extras.items()}
            parents, kept = [], []
            for name in model.causes:
                table, risks = tables[name].table, tables[name].risks
                # As in the compiled network: a risk that changes nothing would only cost.
                matters = [bool(np.ptp(table, axis=axis).any()) for axis in range(len(risks))]
                kept.append(table[tuple(slice(None) if used else 0 for used in matters)])
                used = zip(risks, matters, strict=True)
                parents.append(tuple(model.risks.index(risk) for risk, one in used if one))
            self._tables.append((tuple(parents), tuple(kept)))
        return self._tables[0]

    def event(self, name: str) -> LinkDraws:
        """Return the parameters of a finding with a probability, or of a threshold."""
        if name not in self._events:
            finding = self.knowledge.findings[name]
            chain: tuple[str, ...] = (name,)
            if finding.threshold_of is not None:
                ordinal = self.knowledge.findings[finding.threshold_of]
                chain = tuple(threshold_chain(self.knowledge, ordinal))
            # Two threads that do so at once make the same.
            self._events.update(_solved(self, chain))
        return self._events[name]


def knowledge_draws(
    knowledge: Knowledge,
    assembly: Assembly,
    values: Values,
    stated: Values,
    corrections: int = 0,
    backend: Backend = "auto",
) -> KnowledgeDraws:
    """Prepare sets of stated numbers.

    Parameters
    ----------
    knowledge : Knowledge
    assembly : Assembly
        Of this knowledge.
    values : mapping of place to array (D,) or (S, D)
        Every number of the knowledge, see `number_draws.draw_numbers`.
    stated : mapping of place to array (1,) or (S, 1)
        What a number that cannot hold is put back to.
    corrections, backend
        See `KnowledgeDraws`.
    """
    upper = upper_layers(knowledge, values, stated)
    return KnowledgeDraws(knowledge, assembly, upper, corrections, backend)


@dataclass(frozen=True, eq=False)
class _Fit:
    """One event on its way: what it has to give back, and what was found."""

    name: str
    causes: IntArray  #: (n,) positions among the causes of the fit
    targets: Targets
    ratio: Rates
    parameters: LinkParameters


def _solved(draws: KnowledgeDraws, chain: tuple[str, ...]) -> dict[str, LinkDraws]:
    """Solve for a finding, or for all thresholds of an ordinal finding."""
    fits = [_first_fit(draws, name) for name in chain]
    events = _coherent(draws, fits)
    for _ in range(draws.corrections):
        rates = [_exact_rates(draws, fit, events) for fit in fits]
        worst = max(
            _missed(fit, events[fit.name], one) for fit, one in zip(fits, rates, strict=True)
        )
        if worst < _SETTLED:
            break
        fits = [_corrected(fit, one) for fit, one in zip(fits, rates, strict=True)]
        events = _coherent(draws, fits)
    return events


def _first_fit(draws: KnowledgeDraws, name: str) -> _Fit:
    links, values = draws.assembly.links, draws.upper.values
    row = links.events.index(name)
    causes = np.flatnonzero(links.targets.linked[row])
    names = [links.causes[c] for c in causes]
    shape = (len(draws), len(names))
    stated, prior = np.zeros(shape), np.zeros(shape)
    for column, cause in enumerate(names):
        stated[:, column] = values[f"{cause_file(cause)}:links.{name}"]
        prior[:, column] = values[f"{cause_file(cause)}:prior"]
    ratio = Rates(
        np.broadcast_to(links.ratio.present[row, causes], shape),
        np.broadcast_to(links.ratio.absent[row, causes], shape),
    )
    targets = _targets(draws, name, prior, stated)
    return _Fit(name, causes, targets, ratio, _solve_distinct(targets, ratio))


def _targets(draws: KnowledgeDraws, name: str, prior: FloatArray, stated: FloatArray) -> Targets:
    knowledge, finding = draws.knowledge, draws.knowledge.findings[name]
    background = draws.upper.values[f"findings.toml:{name}.background"]
    row = draws.assembly.links.events.index(name)
    point = draws.assembly.links.targets
    causes = np.flatnonzero(point.linked[row])
    extra = _mean_extra(draws, name)
    gated = is_gated(finding)
    size = len(background)
    return Targets(
        prior=prior,
        stated=stated,
        reading=np.broadcast_to(point.reading[row, causes], stated.shape),
        background=background,
        floor=np.zeros(size) if gated else background * knowledge.model.leak_floor,
        ceiling=np.full(size, point.ceiling[row]),
        extra=extra,
        may_inhibit=np.full(size, point.may_inhibit[row]),
    )


def _mean_extra(draws: KnowledgeDraws, name: str) -> FloatArray:
    extra = draws.upper.extras.get(name)
    if extra is None:
        return np.zeros(len(draws))
    mean = extra.table
    for risk in reversed(extra.risks):
        mean = (mean * draws.upper.shares[risk]).sum(axis=-2)
    return np.asarray(mean)


def _solve_distinct(
    targets: Targets, ratio: Rates, start: LinkParameters | None = None
) -> LinkParameters:
    """Solve rows that differ from the first one; the others have its solution."""
    columns = (
        targets.prior,
        targets.stated,
        targets.background[:, None],
        targets.extra[:, None],
        ratio.present,
        ratio.absent,
    )
    table = np.concatenate(columns, axis=1)
    rows = np.flatnonzero((table != table[0]).any(axis=1))
    if start is not None or len(rows) > len(table) // 2:
        return solve_rows(targets, ratio, start)
    rows = np.append(0, rows)
    part = Targets(
        targets.prior[rows],
        targets.stated[rows],
        targets.reading[rows],
        targets.background[rows],
        targets.floor[rows],
        targets.ceiling[rows],
        targets.extra[rows],
        targets.may_inhibit[rows],
    )
    few = solve_rows(part, Rates(ratio.present[rows], ratio.absent[rows]))
    at = np.zeros(len(table), dtype=np.intp)
    at[rows] = np.arange(len(rows))
    return LinkParameters(few.strength[at], few.factor[at], few.leak[at])


def _coherent(draws: KnowledgeDraws, fits: list[_Fit]) -> dict[str, LinkDraws]:
    """Lay parameters out by draw last; thresholds of one ordinal are made monotone."""
    model, links = draws.assembly.model, draws.assembly.links
    events: dict[str, LinkDraws] = {}
    above: LinkDraws | None = None
    for fit in reversed(fits):
        at = np.array([model.causes.index(links.causes[c]) for c in fit.causes], dtype=np.intp)
        p = fit.parameters
        event = LinkDraws(
            at,
            np.ascontiguousarray(p.strength.T),
            np.ascontiguousarray(p.factor.T),
            np.ascontiguousarray(p.leak),
        )
        if fit.name in draws.upper.extras:
            event = _with_hidden(event, model.causes.index(BACKGROUND.format(fit.name)))
        if above is not None:
            event = _raised(event, above)
        events[fit.name] = above = event
    return events


def _with_hidden(event: LinkDraws, cause: int) -> LinkDraws:
    """Add the hidden cause of a background that depends on risks."""
    one = np.ones((1, len(event.leak)))
    return LinkDraws(
        np.append(event.causes, cause),
        np.concatenate([event.strength, one]),
        np.concatenate([event.factor, one]),
        event.leak,
    )


def _raised(lower: LinkDraws, higher: LinkDraws) -> LinkDraws:
    """Raise a lower threshold to what is stated of a higher one, where that is more."""
    causes = np.union1d(lower.causes, higher.causes)
    strength = np.zeros((len(causes), lower.strength.shape[1]))
    strength[np.searchsorted(causes, lower.causes)] = lower.strength
    at = np.searchsorted(causes, higher.causes)
    strength[at] = np.maximum(strength[at], higher.strength)
    # Thresholds have no inhibitors.
    return LinkDraws(causes, strength, np.ones_like(strength), np.maximum(lower.leak, higher.leak))


def _exact_rates(draws: KnowledgeDraws, fit: _Fit, events: Mapping[str, LinkDraws]) -> Rates:
    """Ask the network for P(event | cause) and P(event | no cause) of every draw, (D, n)."""
    model = draws.assembly.model
    evidence = _no_event(draws, draws.knowledge.findings[fit.name])
    trial = replace(draws, corrections=0, _events=dict(events), _plans=LanePlans())
    answer = trial.answer(evidence)
    names = draws.assembly.links.causes
    at = [model.causes.index(names[c]) for c in fit.causes]
    spared = np.exp(answer.log_evidence)[:, None]
    joint = answer.causes[:, at] * spared
    prior = fit.targets.prior
    return Rates(1.0 - joint / prior, 1.0 - (spared - joint) / (1.0 - prior))


def _no_event(draws: KnowledgeDraws, event: Finding) -> Evidence:
    model = draws.assembly.model
    evidence = no_evidence(model, 1)
    if event.threshold_of is None:
        evidence.findings[0, model.findings.index(event.id)] = 0.0
    else:
        states = draws.knowledge.findings[event.threshold_of].states
        level = states.index(event.at_least or "") - 1
        evidence.upper[0, model.ordinals.index(event.threshold_of)] = level
    return evidence


def _missed(fit: _Fit, event: LinkDraws, exact: Rates) -> float:
    """Largest distance from what is stated, among what the parameters can still change."""
    p, targets = fit.parameters, fit.targets
    free = (p.strength > 0.0) | ((p.factor < 1.0) & (p.factor > 0.0))
    links = np.abs(exact.present - targets.stated)[free]
    inside = (event.leak > targets.floor) & (event.leak < targets.ceiling)
    mean = (targets.weights * exact.absent).sum(axis=1)
    backgrounds = np.abs(mean - targets.background)[inside & (targets.stated.shape[1] > 0)]
    return max(float(links.max(initial=0.0)), float(backgrounds.max(initial=0.0)))


def _corrected(fit: _Fit, exact: Rates) -> _Fit:
    assumed = independent_rates(fit.targets, fit.parameters)
    ratio = Rates(
        (1.0 - exact.present) / (1.0 - assumed.present),
        (1.0 - exact.absent) / (1.0 - assumed.absent),
    )
    solved = _solve_distinct(fit.targets, ratio, fit.parameters)
    return _Fit(fit.name, fit.causes, fit.targets, ratio, solved)
