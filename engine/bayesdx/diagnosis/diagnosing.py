"""One case: how probable each cause is, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesdx.diagnosis.clashes import smallest_clash
from bayesdx.diagnosis.kleene import Facts
from bayesdx.diagnosis.ranking import ranking
from bayesdx.diagnosis.results import (
    IMPOSSIBLE,
    NO_FINDINGS,
    OK,
    TOO_COMPLEX,
    Result,
    Status,
    plain,
)
from bayesdx.diagnosis.scoring import UNEXPLAINED
from bayesdx.diagnosis.shortlist import causal_shares, short_list, symptom_weights
from bayesdx.diagnosis.shown_texts import Matter, TextHit, Texts
from bayesdx.diagnosis.triage import AskFirst, TriageHit, triage_case
from bayesdx.frozen import FrozenDict
from bayesdx.inference.noisy.complexity import coupled_names
from bayesdx.knowledge.codes import codes_of
from bayesdx.knowledge.red_flag_schema import LEVELS, Level
from bayesdx.knowledge.schema import Code
from bayesdx.presentation.diagnosis_view import diagnosis_html
from bayesdx.presentation.plots import plot_posteriors

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayesdx.diagnosis.cases import Cases
    from bayesdx.diagnosis.core import Core
    from bayesdx.diagnosis.red_flags import RedFlagHit
    from bayesdx.inference.arrays import FloatArray
    from bayesdx.inference.noisy.answer import Answer

_SHOWN = (
    "shortlist", "background", "table", "groups", "red_flags", "urgency", "log_evidence", "status",
    "clashes", "understood",
    "triage", "ask_first", "pitfalls", "management", "coupled", "setting",
    "urgency_only", "codes",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Diagnosis(Result):
    """The answer for one case.

    Tables and texts are made when they are first looked at.

    Attributes
    ----------
    shortlist : DataFrame
        What an answer shows first, five causes at most: three by the share of the picture that
        they explain, and two that are rarer but fit unusually well. Index ``cause``: label,
        explains, plays_a_part, posterior, prior, ratio, why (it is listed); see
        `bayesdx.diagnosis.shortlist`. Empty unless the status is ``ok``.
    background : float
        Share of the picture that is the background's: no modelled cause is credited with it. With
        the shares of all causes it adds up to 1.
    table : DataFrame
        Index ``cause``, sorted by posterior: label, prior, posterior, ratio (posterior odds over
        prior odds), explains (share of the present findings, rare ones counting more, that the
        cause is credited with), plays_a_part (probability that it is present and produced at least
        one of them), urgency, basis. Excluded causes are 0. The last row, ``unexplained``, is the
        probability that no modelled cause is present, and explains what the background does.
        Posteriors do not sum to 1: several causes may be present at once. When the evidence is
        impossible or too complex there are no posteriors, and the priors stand in their place.
    groups : DataFrame
        Index ``group``: label, kind, prior, posterior of "at least one member is present".
    red_flags : tuple of RedFlagHit
        Rules that fired, then rules that are open, the most pressing first.
    urgency : str
        ``emergency``, ``urgent``, ``soon``, ``routine`` or ``self_care``: the highest level of the
        rules that fired and of `triage`, which can raise it and never lowers it.
    triage : tuple of TriageHit
        Dangerous causes that call for action, the greatest expected loss first.
    ask_first : tuple of AskFirst
        Dangerous causes whose posterior would call for action, but for which nothing speaks that
        ordinary causes do not give as well: the findings that would, not known yet.
    pitfalls : tuple of TextHit
        What is easily missed in such a case; each may name causes to look at whatever their rank.
    management : tuple of TextHit
        Education matched to the case: explanations, advice, cautions, tests, questions.
    log_evidence : float
        Natural log of P(what was found); ``-inf`` when it is impossible or not known.
    status : str
        ``"ok"``, ``"impossible"``, ``"no_findings"`` or ``"too_complex"``: more is coupled than can
        be summed over.
    clashes : tuple of str
        When impossible: a smallest set of what was given that cannot occur together.
    understood : mapping of str to str
        What was read, aliases resolved.
    coupled : tuple of str
        When too complex: the findings and unknown risks that couple.
    setting : str
        Whose priors they are where they are not those of R.
    urgency_only : tuple of str
        What was understood and counts for the urgency only: it moves no cause.
    codes : mapping of str to tuple of Code
        Of causes, and of what was understood, that have any: ICD-10-CM, HPO, a map of one's own.
    """

    urgency: Level
    log_evidence: float
    status: Status
    core: Core = field(repr=False)
    cases: Cases = field(repr=False)
    posterior: FloatArray = field(repr=False)
    grouped: FloatArray = field(repr=False)
    answer: Answer = field(repr=False)

    @cached_property
    def table(self) -> pd.DataFrame:
        """Causes by posterior."""
        prior, posterior = self.core.prior, self.posterior
        order = np.append(ranking(posterior[None, :-1])[0], len(prior) - 1)
        table = self.core.once(_causes_by_row).take(order)
        table["posterior"] = posterior[order]
        table["ratio"] = _odds_ratio(prior[order], posterior[order])
        table["explains"], table["plays_a_part"] = (part[order] for part in self._shares)
        return table

    @cached_property
    def shortlist(self) -> pd.DataFrame:
        """What is shown first."""
        if self.status != OK:
            return short_list(self.table.iloc[-1:])
        # In the order of the knowledge: what is equal but for rounding stays so.
        return short_list(self.table.loc[[*self.core.causes, UNEXPLAINED]])

    @property
    def background(self) -> float:
        """Share of the picture that no modelled cause is credited with."""
        return float(self.table["explains"].iloc[-1])

    @cached_property
    def _shares(self) -> tuple[FloatArray, FloatArray]:
        core, evidence = self.core, self.cases.evidence
        if self.status in (IMPOSSIBLE, TOO_COMPLEX):
            nothing = np.append(np.zeros(len(core.causes)), 1.0)
            return nothing, nothing * self.posterior[-1]
        answer = self.answer
        if not len(answer.credit):
            answer = core.posteriors(evidence, symptoms=core.once(symptom_weights))
        explains, part = causal_shares(core, evidence, answer, self.posterior[-1:])
        return explains[0], part[0]

    @cached_property
    def groups(self) -> pd.DataFrame:
        """Groups by posterior."""
        order = ranking(self.grouped[None, :-1])[0]
        table = self.core.once(_groups_by_row).take(order)
        table["posterior"] = self.grouped[order]
        return table

    @cached_property
    def red_flags(self) -> tuple[RedFlagHit, ...]:
        """Rules that fired or are open."""
        return self.core.rules.hits(Facts(self.cases.facts, 1))

    @cached_property
    def triage(self) -> tuple[TriageHit, ...]:
        """Dangerous causes that call for action."""
        facts = self.core.facts(self.cases)
        return triage_case(
            self.core.triage,
            self.core.danger.weighed(self.cases.facts, 1)[0],
            self._dangerous(),
            lambda k: self.core.danger.speaking(facts, k),
        )

    @cached_property
    def ask_first(self) -> tuple[AskFirst, ...]:
        """What to ask first: what would tell a dangerous cause from its common twins."""
        if self.status != OK:
            return ()
        core, facts = self.core, self.core.facts(self.cases)
        calls = {hit.cause for hit in self.triage}
        posterior = self._dangerous()
        return tuple(
            AskFirst(cause, core.triage.labels[k], LEVELS[core.triage.levels[k]], open_)
            for k, cause in enumerate(core.triage.causes)
            if cause not in calls
            and posterior[k] >= core.triage.thresholds[k]
            and (open_ := tuple(n for n in core.danger.discriminating(k) if facts.get(n) is None))
        )

    def _dangerous(self) -> FloatArray:
        at = {name: k for k, name in enumerate(self.core.causes)}
        return self.posterior[[at[name] for name in self.core.triage.causes]]

    @cached_property
    def pitfalls(self) -> tuple[TextHit, ...]:
        """What is easily missed."""
        return self._texts(self.core.pitfalls)

    @cached_property
    def management(self) -> tuple[TextHit, ...]:
        """Education matched to the case."""
        return self._texts(self.core.management)

    @cached_property
    def clashes(self) -> tuple[str, ...]:
        """What cannot occur together."""
        if self.status != IMPOSSIBLE:
            return ()
        return smallest_clash(self.core.model, self.cases.evidence, self.core.backend)

    @cached_property
    def understood(self) -> Mapping[str, str]:
        """What was read."""
        return FrozenDict(self.core.understood(self.cases))

    @cached_property
    def coupled(self) -> tuple[str, ...]:
        """What couples too much."""
        if self.status != TOO_COMPLEX:
            return ()
        return coupled_names(self.core.model, self.cases.evidence)

    @cached_property
    def setting(self) -> str:
        """Whose priors they are."""
        setting = self.core.knowledge.setting
        return "" if setting is None else setting.label

    @cached_property
    def urgency_only(self) -> tuple[str, ...]:
        """What was understood and moves no cause."""
        counted = self.core.knowledge.urgency_only
        return tuple(name for name in self.understood if name in counted)

    @cached_property
    def codes(self) -> Mapping[str, tuple[Code, ...]]:
        """Codes in other systems."""
        every = {n: codes_of(self.core.knowledge, n) for n in (*self.core.causes, *self.understood)}
        return FrozenDict({name: codes for name, codes in every.items() if codes})

    def records(self) -> dict[str, Any]:
        """Return the answer in plain values, one dict a row of its tables."""
        codes = {name: [one._asdict() for one in codes] for name, codes in self.codes.items()}
        return {**{name: plain(getattr(self, name)) for name in _SHOWN}, "codes": codes}

    def __repr__(self) -> str:
        return f"Diagnosis({self.table.index[0]} first, {self.urgency}, {self.status})"

    def __getstate__(self) -> dict[str, Any]:
        # A copy for another process is finished here: it goes without the engine.
        return {name: getattr(self, name) for name in _SHOWN}

    def plot(self, ax: Axes | None = None, top: int = 10) -> Axes:
        """Draw posteriors of the first causes beside their priors.

        Parameters
        ----------
        ax : Axes, optional
            Matplotlib axes to draw on; new ones when not given.
        top : int
            Causes to draw.

        Returns
        -------
        Axes

        Raises
        ------
        BayesdxError
            When Matplotlib, of the extra ``plot``, is not installed.

        Examples
        --------
        >>> import bayesdx
        >>> bayesdx.load().diagnose({"fair_pos": "present"}).plot().get_xlabel()
        'probability'
        """
        return plot_posteriors(self.table, ax, top)

    def _repr_html_(self) -> str:
        return diagnosis_html(self)

    def _texts(self, texts: Texts | None) -> tuple[TextHit, ...]:
        """Choose texts; where posteriors are not defined, by findings alone."""
        if texts is None:
            return ()
        facts = Facts(self.cases.facts, 1)
        if self.status != OK:
            return texts.shown(Matter(facts, {}, {}))
        names = (*self.core.causes, UNEXPLAINED)
        causes = dict(zip(names, self.posterior.tolist(), strict=True))
        drivers = dict(zip(self.core.knowledge.groups, self.grouped.tolist(), strict=False))
        first = self.core.causes[int(self.posterior[:-1].argmax())]
        return texts.shown(Matter(facts, causes, drivers, first))


def diagnose(core: Core, findings: Mapping[str, object] | Cases) -> Diagnosis:
    """Answer one case; see `Engine.diagnose`."""
    cases = core.read_case(findings)
    answer, groups = core.with_groups(cases.evidence, partial(core.once, symptom_weights))
    status: Status = OK if bool(cases.known[0]) else NO_FINDINGS
    if not answer.possible[0]:
        status = TOO_COMPLEX if answer.too_complex.any() else IMPOSSIBLE
        groups = core.prior_groups
    posterior = np.zeros(len(core.prior))
    posterior[core.columns] = answer.causes[0, core.modelled]
    posterior[-1] = groups[-1]
    found = core.urgency(cases.facts, 1)
    return Diagnosis(
        urgency=LEVELS[found.level[0]],
        log_evidence=float(answer.log_evidence[0]),
        status=status,
        core=core,
        cases=cases,
        posterior=posterior if answer.possible[0] else core.prior,
        grouped=groups,
        answer=answer,
    )


def _causes_by_row(core: Core) -> pd.DataFrame:
    """The table of a diagnosis before there is one; cases only fill in and sort it."""
    causes = [core.knowledge.causes[name] for name in core.causes]
    priors = [cause.prior for cause in causes]
    return pd.DataFrame(
        {
            "label": [*(cause.label for cause in causes), "No modelled cause"],
            "prior": core.prior,
            "posterior": core.prior,
            "ratio": 1.0,
            "explains": 0.0,
            "plays_a_part": 0.0,
            "urgency": [*(cause.urgency or "" for cause in causes), ""],
            "basis": [*("" if prior is None else prior.basis for prior in priors), ""],
        },
        index=pd.Index([*core.causes, UNEXPLAINED], name="cause"),
    )


def _groups_by_row(core: Core) -> pd.DataFrame:
    groups = core.knowledge.groups.values()
    return pd.DataFrame(
        {
            "label": [group.label for group in groups],
            "kind": [group.kind for group in groups],
            "prior": core.prior_groups[:-1],
            "posterior": core.prior_groups[:-1],
        },
        index=pd.Index([group.id for group in groups], name="group"),
    )


def _odds_ratio(prior: FloatArray, posterior: FloatArray) -> FloatArray:
    """Posterior odds over prior odds; 1 where both are 0 or both are 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = posterior / (1.0 - posterior) / (prior / (1.0 - prior))
    return np.where(np.isnan(ratio), 1.0, ratio)
