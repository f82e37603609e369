"""The network of a knowledge folder under many draws of its stated numbers.

A draw becomes parameters of the network as in an assembly, for all draws at once and only where a
case asks: what does not depend on a case, tables of the causes and risks, is made once; strengths,
inhibitors and leaks of a finding are solved for when a case first speaks of the finding, and kept.

Causes share risks, for which an assembly corrects its fit by exact answers of the network. Here
that correction (`fitting.Rates`, a ratio) is the one of the stated numbers for every draw, unless
rounds of correction of each draw's own are asked for. How little that changes is measured in
``benchmarks/quality``.

Memory, for D draws: 8 bytes times D for every number, table entry, link (twice) and leak; for the
packaged knowledge (677 numbers, 102 findings and thresholds, 441 links) and 2,000 draws about 35 MB
when every finding has been asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bayesdx.building.assembly import BACKGROUND, Assembly, no_events, rates_without
from bayesdx.building.event_layout import coherent, event_targets
from bayesdx.building.feasibility import UpperLayers, Values, repaired
from bayesdx.building.fitting import LinkParameters, Rates, Targets, fit
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.machine_code import Backend
from bayesdx.inference.noisy.answer import Answer
from bayesdx.inference.noisy.choice import takes_compiled
from bayesdx.inference.noisy.model import BoolArray, FloatArray, IntArray
from bayesdx.inference.noisy.parameters import LinkDraws, ParameterDraws
from bayesdx.knowledge.knowledge import Knowledge

if TYPE_CHECKING:
    from bayesdx.inference.noisy.draws import LanePlans


class KnowledgeDraws:
    """D draws of the stated numbers, ready to be asked about cases.

    Parameters
    ----------
    assembly : Assembly
        Of the stated numbers.
    upper : UpperLayers
        Numbers, risks and causes under every draw.
    corrections : int
        Most rounds of correction for causes that share risks; 0 takes the assembly's own.
    backend : {"auto", "numpy", "compiled"}
        See `bayesdx.inference.noisy.draws.posteriors_under`.
    """

    def __init__(
        self,
        assembly: Assembly,
        upper: UpperLayers,
        corrections: int = 0,
        backend: Backend = "auto",
    ) -> None:
        self.assembly = assembly
        self.upper = upper
        self.corrections = corrections
        self.backend: Backend = backend
        self._events: dict[str, LinkDraws] = {}
        self._plans: LanePlans | None = None
        self._tables: tuple[tuple[tuple[int, ...], ...], tuple[FloatArray, ...]] | None = None

    def __len__(self) -> int:
        return len(self.upper)

    def answer(self, evidence: Evidence, draws: IntArray | None = None) -> Answer:
        """Answer one case under every draw, or under some.

        Parameters
        ----------
        evidence : Evidence
            One case; causes may be clamped.
        draws : int array, optional
            Which; all when not given.

        Returns
        -------
        Answer
            A row a draw; see `bayesdx.inference.noisy.draws.posteriors_under`.
        """
        # The executor of lanes is imported when a case is asked, as those of `query` are.
        from bayesdx.inference.noisy.draws import LanePlans, posteriors_under

        model, parameters = self.assembly.model, self.parameters(evidence)
        if self._plans is None:
            self._plans = LanePlans()
        if draws is None:
            return posteriors_under(model, evidence, parameters, self._plans, self.backend)
        return posteriors_under(model, evidence, parameters.take(draws), None, self.backend)

    def answer_each(
        self,
        evidence: Evidence,
        asked: BoolArray,
        told: Callable[[float], None] | None = None,
    ) -> list[Answer]:
        """Answer N cases under every draw.

        Parameters
        ----------
        evidence : Evidence
        asked : bool array (N, C)
            Causes whose posteriors are wanted; others may be left out.
        told : callable, optional
            Told the share that is done.

        Returns
        -------
        list of Answer
            Of each case, a row a draw.

        Raises
        ------
        TooComplex
            If one of them is beyond the limits.
        """
        model, cases = self.assembly.model, np.arange(len(evidence))
        rows = evidence.take(np.repeat(cases, len(self)))
        if len(cases) > 1 and takes_compiled(self.backend, model, rows):
            from bayesdx.inference.noisy.drawn_models import answers_of_models

            parameters = self.parameters(evidence)
            log_evidence, causes = answers_of_models(model, evidence, parameters, asked, told)
            return [Answer(log_evidence[:, n], causes[:, n], np.empty(0)) for n in cases]
        answers = []
        for n in cases:
            answers.append(self.answer(evidence.take(cases[n : n + 1])))
            if told is not None:
                told((n + 1) / len(cases))
        return answers

    def parameters(self, evidence: Evidence) -> ParameterDraws:
        """Return the parameters that cases ask for.

        Returns
        -------
        ParameterDraws
            Of D draws, with the findings and ordinals that one of the cases speaks of.
        """
        model, layout = self.assembly.model, self.assembly.links.layout
        asked = np.flatnonzero(~np.isnan(evidence.findings).all(axis=0)).tolist()
        names = [(model.findings[f],) for f in asked]
        ordinals = {}
        for o, name in enumerate(model.ordinals):
            full = model.ordinal_sizes[o] - 1
            if (evidence.lower[:, o] > 0).any() or (evidence.upper[:, o] < full).any():
                ordinals[o] = layout.thresholds[name]
        self._solve_for([one for own in (*names, *ordinals.values()) for one in own])
        parents, tables = self._cause_tables()
        return ParameterDraws(
            findings={f: self.event(model.findings[f]) for f in asked},
            ordinals={o: tuple(map(self.event, own)) for o, own in ordinals.items()},
            parents=parents,
            tables=tables,
            risk_priors=tuple(self.upper.shares(name) for name in model.risks),
        )

    def _cause_tables(self) -> tuple[tuple[tuple[int, ...], ...], tuple[FloatArray, ...]]:
        if self._tables is not None:
            return self._tables
        model, layout = self.assembly.model, self.assembly.links.layout
        found = {name: self.upper.cause(name) for name in layout.causes}
        found |= {BACKGROUND.format(name): self.upper.background(name) for name in layout.hidden}
        parents, tables = [], []
        for name in model.causes:
            table, risks = found[name].table, found[name].risks
            # As in the compiled network: a risk that changes nothing would only cost.
            matters = [_varies(table, axis) for axis in range(len(risks))]
            part = table[tuple(slice(None) if used else 0 for used in matters)]
            tables.append(np.broadcast_to(part, (*part.shape[:-1], len(self))))
            used = zip(risks, matters, strict=True)
            parents.append(tuple(model.risks.index(risk) for risk, one in used if one))
        self._tables = tuple(parents), tuple(tables)
        return self._tables

    def event(self, name: str) -> LinkDraws:
        """Return the parameters of a finding with a probability, or of a threshold."""
        self._solve_for([name])
        return self._events[name]

    def solve_all(self) -> None:
        """Solve for every event at once."""
        self._solve_for(self.assembly.links.layout.events)

    def _solve_for(self, names: Sequence[str]) -> None:
        """Solve for events together, which takes a fraction of one after the other."""
        layout = self.assembly.links.layout
        chains = [layout.chain[layout.row[name]] for name in names if name not in self._events]
        if chains:
            rows = np.flatnonzero(np.isin(layout.chain, chains))
            # Two threads that do so at once make the same.
            self._events.update(self._laid_out(rows, self._solved(rows)))

    def _solved(self, rows: IntArray) -> LinkParameters:
        """Solve for findings, and for all thresholds of ordinal findings."""
        links, draws = self.assembly.links, len(self)
        targets = event_targets(self.upper, links.layout, rows)
        slots = slice(len(targets.prior))
        ratio = Rates(
            np.repeat(links.fit.ratio.present[slots, rows], draws, axis=1),
            np.repeat(links.fit.ratio.absent[slots, rows], draws, axis=1),
        )

        def ask(p: LinkParameters, _: IntArray) -> Rates:
            return self._exact_rates(rows, targets, p)

        every = np.arange(len(rows) * draws)
        kept, copies = _distinct(targets, draws) if not self.corrections else (every, every)
        solved = fit(
            targets.take(kept),
            ratio.take(kept),
            None,
            ask,
            np.zeros(len(kept), dtype=np.intp),
            self.corrections,
        )
        return solved.parameters.take(copies)

    def _laid_out(self, rows: IntArray, p: LinkParameters) -> dict[str, LinkDraws]:
        """Lay parameters out by link and draw; thresholds of one ordinal are made monotone."""
        model, layout = self.assembly.model, self.assembly.links.layout
        p, events = coherent(self.upper, layout, rows, p), {}
        for i, slots in enumerate(layout.links(rows).T):
            name = layout.events[rows[i]]
            own = slice(i * len(self), (i + 1) * len(self))
            strength, factor, leak = p.strength[:, own], p.factor[:, own], p.leak[own]
            acting = np.flatnonzero(((strength > 0.0) | (factor < 1.0)).any(axis=1))
            causes = [model.causes.index(layout.causes[slot]) for slot in slots[acting]]
            strength, factor = strength[acting], factor[acting]
            if name in layout.hidden:
                causes.append(model.causes.index(BACKGROUND.format(name)))
                one = np.ones((1, len(self)))
                strength, factor = np.concatenate([strength, one]), np.concatenate([factor, one])
            at = np.array(causes, dtype=np.intp)
            events[name] = LinkDraws(at, strength, factor, leak)
        return events

    def _exact_rates(self, rows: IntArray, targets: Targets, p: LinkParameters) -> Rates:
        """Ask the network for P(event | cause) and P(event | no cause) under every draw."""
        model, layout = self.assembly.model, self.assembly.links.layout
        trial = KnowledgeDraws(self.assembly, self.upper, backend=self.backend)
        trial._events, trial._tables = self._laid_out(rows, p), self._cause_tables()
        at = np.array([model.causes.index(name) for name in layout.causes], dtype=np.intp)
        spared, joint = np.empty(len(p.leak)), np.empty_like(p.strength)
        for i, slots in enumerate(layout.links(rows).T):
            answer = trial.answer(no_events(model, layout, rows[i : i + 1]))
            own = slice(i * len(self), (i + 1) * len(self))
            spared[own] = np.exp(answer.log_evidence)
            joint[:, own] = answer.causes[:, at[slots]].T * spared[own]
        return rates_without(spared, joint, targets.prior)


def _varies(table: FloatArray, axis: int) -> bool:
    """Whether a table differs along an axis under some draw: nearly always under the first."""
    return any(bool((own != own.take([0], axis)).any()) for own in (table[..., :1], table))


def knowledge_draws(
    knowledge: Knowledge,
    assembly: Assembly,
    values: Values,
    stated: Values,
    corrections: int = 0,
    backend: Backend = "auto",
) -> KnowledgeDraws:
    """Prepare draws of the stated numbers.

    Parameters
    ----------
    knowledge : Knowledge
    assembly : Assembly
        Of this knowledge.
    values : mapping of Address to array (D,) or (S, D)
        Every number of the knowledge, see `number_draws.draw_numbers`.
    stated : mapping of Address to array (1,) or (S, 1)
        What a number that cannot hold is put back to.
    corrections, backend
        See `KnowledgeDraws`.
    """
    upper = repaired(UpperLayers(knowledge, values), stated)
    return KnowledgeDraws(assembly, upper, corrections, backend)


def _distinct(targets: Targets, draws: int) -> tuple[IntArray, IntArray]:
    """Return the fits that differ from the first draw of their event, with it; and where each is.

    Where one number is moved at a time, most findings have the stated numbers in most draws.
    """
    columns = np.arange(len(targets.background))
    first = columns - columns % draws
    differs = np.zeros((len(columns) // draws, draws), dtype=bool)
    for numbers in (*targets.prior, *targets.stated, targets.background, targets.extra):
        by_event = numbers.reshape(differs.shape)
        differs |= by_event != by_event[:, :1]
    kept = np.flatnonzero(differs.ravel() | (columns == first))
    return kept, np.searchsorted(kept, np.where(differs.ravel(), columns, first))
