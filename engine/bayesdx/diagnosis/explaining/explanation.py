"""Why a cause is as probable as it is: contributions of what was observed, which add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayesdx.checked_names import names_of
from bayesdx.diagnosis.clashes import smallest_clash
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.explaining.coalition import (
    Observations,
    families,
    read_observations,
    whole_part,
)
from bayesdx.diagnosis.explaining.context import (
    AWAY,
    CREDIT,
    Context,
    FurtherAnswer,
    credit_frame,
    hidden_causes,
    posterior_of,
)
from bayesdx.diagnosis.explaining.numbers import NumbersBehind
from bayesdx.diagnosis.results import IMPOSSIBLE, NO_FINDINGS, OK, Result, Status
from bayesdx.errors import (
    Fault,
    InvalidCase,
    Phrase,
    TooComplex,
    nearest_names,
    unknown_names,
)
from bayesdx.inference.noisy.attribution.credit_assignment import produced_by
from bayesdx.inference.noisy.attribution.shapley import Attribution, Game, Method, attribute
from bayesdx.presentation.explanation_view import explanation_html
from bayesdx.presentation.plots import plot_contributions

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayesdx.diagnosis.cases import Cases
    from bayesdx.inference.evidence import Evidence
    from bayesdx.inference.noisy.answer import Answer

#: Causes whose rivals and further answers are worked out when no cause is named.
LEADING = 3

NUMBER_COLUMNS = ("kind", "number", "low", "high", "basis", "source", "statements", "place")


@dataclass(frozen=True, eq=False, repr=False)
class Explanation(Result):
    """Why the causes of one case are as probable as they are.

    Log-odds are natural: a contribution of 0.69 doubles the odds, -0.69 halves them.

    Attributes
    ----------
    causes : DataFrame
        Index ``cause``, sorted by posterior: label, prior, posterior, prior_log_odds, log_odds.
    table : DataFrame
        Index ``(cause, observation)``, causes as above, the largest contribution first. An
        observation is one thing that was given, with everything it sets. ``label``; ``value``
        (what was read); ``contribution``: they add up, a cause, to ``log_odds -
        prior_log_odds``; ``lr_alone`` and ``lr_in_context``: P(observation | cause) /
        P(observation | no cause) with nothing else known and with everything else known; then the
        number behind it, see `NumberBehind`: kind, number, low, high, basis, source, statements,
        place.
    credit : DataFrame
        Index ``(finding, cause)``: observation, finding_label, label, credit. Of each finding that
        is present: P(it is, and this cause's link produced it | everything observed), the largest
        first, and the same of the ``background``. Several can have produced it, so credits add up
        to 1 or more (for soft evidence, to P(it is present) or more).
    away : DataFrame
        Index ``(cause, rival)``: label, posterior_without, shift, findings. What the cause would
        be if the rival were known to be absent: a positive shift (in log-odds) is what the rival
        explains away. ``findings`` (joined by ``;``) are those that the cause can produce and the
        rival may have, with a credit of 1 % or more. At most five rivals, the largest shift first.
    could_matter : DataFrame
        Index ``(cause, finding)``: label, observed_by, probability (of "present", now),
        posterior_if_present, posterior_if_absent, shift_if_present, shift_if_absent (in
        log-odds), expected_change (of the probability of the cause, over both answers). The five
        largest expected changes among all findings not known.
    method : str
        How contributions are shared out: ``shapley``, ``shapley_absent_in_order`` or ``path``; see
        `bayesdx.inference.noisy.attribution.shapley`. ``none`` where there is nothing to share
        out.
    status : str
        ``"ok"``, ``"no_findings"`` (`table` is empty) or ``"impossible"``: posteriors are then not
        defined, the priors stand in their place, contributions are 0 and ratios 1.
    clashes : tuple of str
        When impossible: a smallest set of what was given that cannot occur together.
    understood : mapping of str to str
        What was read, aliases resolved.

    Notes
    -----
    Where the posterior is exactly 0 or 1 its log-odds are infinite. The observations without which
    it would not be so contribute that infinity, the others 0, and the sum is still right. A cause
    that is excluded from the start (prior 0) has contributions 0 and ratios 1. Nothing is NaN but
    the number and range of an observation that has none.
    """

    causes: pd.DataFrame
    table: pd.DataFrame
    credit: pd.DataFrame
    away: pd.DataFrame
    could_matter: pd.DataFrame
    method: str
    status: Status
    clashes: tuple[str, ...]
    understood: Mapping[str, str]

    @property
    def prior(self) -> pd.Series[float]:
        """Prior of each cause."""
        return self.causes["prior"]

    @property
    def posterior(self) -> pd.Series[float]:
        """Posterior of each cause."""
        return self.causes["posterior"]

    def of(self, cause: str) -> pd.DataFrame:
        """Return the rows of `table` for one cause.

        Parameters
        ----------
        cause : str
            One that is explained here.

        Returns
        -------
        DataFrame
            Indexed by observation.

        Raises
        ------
        InvalidCase
            When the cause is not explained here.

        Examples
        --------
        >>> import bayesdx
        >>> bayesdx.load().explain({"fair_pos": "present"}, "gtps").of("gtps").index.tolist()
        ['fair_pos']
        """
        if cause not in self.causes.index:
            near = nearest_names(cause, self.causes.index)
            raise InvalidCase(Fault("cause", "a cause that is explained here", cause, near))
        rows = self.table.loc[self.table.index.get_level_values("cause") == cause]
        return rows.droplevel("cause")

    def plot(self, ax: Axes | None = None, cause: str | None = None, top: int = 12) -> Axes:
        """Draw what each observation does to a cause, in log-odds.

        Parameters
        ----------
        ax : Axes, optional
            Matplotlib axes to draw on; new ones when not given.
        cause : str, optional
            One that is explained here; the most probable one when not given.
        top : int
            Observations to draw.

        Returns
        -------
        Axes

        Raises
        ------
        InvalidCase
            When there is no such cause.
        BayesdxError
            When Matplotlib, of the extra ``plot``, is not installed.

        Examples
        --------
        >>> import bayesdx
        >>> bayesdx.load().explain({"fair_pos": "present"}).plot().get_xlabel()
        'contribution (log-odds)'
        """
        return plot_contributions(self.of(cause or str(self.causes.index[0])), ax, top)

    def _repr_html_(self) -> str:
        return explanation_html(self)


def explain(
    core: Core,
    findings: Mapping[str, object] | Cases,
    cause: str | Sequence[str] | None = None,
    *,
    method: Method | None = None,
) -> Explanation:
    """Explain the causes of one case, as `Engine.explain`.

    All causes, where none is named, come with rivals and further answers for the leading three.
    ``method`` is a way to share out in place of the first one within reach.
    """
    wanted, cases = wanted_causes(core, cause), core.read_case(findings)
    try:
        return _explained(core, cases, wanted, method, leading=cause is None)
    except TooComplex as error:
        # Hundreds of answers are behind an explanation: none of them is put together of parts.
        expected, got = "findings and risks that couple less", "too complex a case to explain"
        raise TooComplex(Fault("the case", expected, Phrase(got))) from error


def _explained(
    core: Core, cases: Cases, wanted: Sequence[str], method: Method | None, *, leading: bool
) -> Explanation:
    observations = read_observations(core, cases, 0, families(core.knowledge))
    whole = whole_part(core.model, cases.evidence, 0)
    answer = partial(core.posteriors, divide=False)
    credits = produced_by(core.model, whole, hidden_causes(core), answer)
    share = share_out if credits is not None and observations.names else nothing_shared
    wanted, shares = _by_posterior(wanted, share(core, observations, wanted, method))
    summary, shown = _summary(core, wanted, shares), core.understood(cases)
    table = _table(core, observations, wanted, shares, shown)
    if credits is None:
        clashes = smallest_clash(core.model, cases.evidence, core.backend)
        return _bare(summary, table, IMPOSSIBLE, clashes, shown)
    if not observations.names:
        return _bare(summary, table, NO_FINDINGS, (), shown)
    near = [name for name in wanted if name in core.model.causes]
    if leading:
        near = near[:LEADING]
    context = Context(core, whole, core.facts(cases), credits, near)
    credit = credit_frame(core, observations, credits)
    away, could_matter = context.away(), context.could_matter()
    return Explanation(summary, table, credit, away, could_matter, shares.method, OK, (), shown)


def wanted_causes(core: Core, cause: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the ids of the causes to explain.

    Raises
    ------
    InvalidCase
        With every one that there is not.
    """
    if cause is None:
        return core.causes
    names = tuple(dict.fromkeys(names_of("cause", "the id of a cause, or several", cause)))
    if faults := unknown_names("cause", "the id of a cause", names, core.causes):
        raise InvalidCase(faults)
    return names


def share_out(
    core: Core,
    observations: Observations,
    wanted: Sequence[str],
    method: Method | None = None,
    *,
    in_context: bool = True,
) -> Attribution:
    """Share out the log-odds of all wanted causes, excluded ones among them; as `attribute`."""
    at = {name: i for i, name in enumerate(core.model.causes)}
    inside = [i for i, name in enumerate(wanted) if name in at]
    game = Game(
        observations.parts, observations.owners, len(observations.telling), observations.parts_known
    )
    positions = [at[wanted[i]] for i in inside]
    only = np.isin(np.arange(len(at)), positions)

    def answer(evidence: Evidence) -> Answer:
        return core.posteriors(evidence, asked=np.tile(only, (len(evidence), 1)), divide=False)

    found = attribute(core.model, game, positions, answer, method, in_context=in_context)
    blank = nothing_shared(core, observations, wanted)
    blank.before[inside], blank.after[inside] = found.before, found.after
    telling = np.ix_(inside, observations.telling)
    blank.contribution[telling] = found.contribution
    blank.alone[telling] = found.alone
    blank.in_context[telling] = found.in_context
    return replace(blank, method=found.method)


def nothing_shared(
    core: Core, observations: Observations, wanted: Sequence[str], _method: Method | None = None
) -> Attribution:
    """Return the shares of a case that nothing is known of, or that is impossible."""
    prior = np.array([core.prior[core.causes.index(name)] for name in wanted])
    with np.errstate(divide="ignore"):
        log_odds = np.log(prior) - np.log1p(-prior)
    shape = len(wanted), len(observations.names)
    return Attribution("none", log_odds, log_odds.copy(), *(np.zeros(shape) for _ in range(3)))


def _by_posterior(
    wanted: Sequence[str], shares: Attribution
) -> tuple[tuple[str, ...], Attribution]:
    order = np.argsort(-np.round(posterior_of(shares.after), 15), kind="stable")
    arrays = (shares.before, shares.after, shares.contribution, shares.alone, shares.in_context)
    return tuple(wanted[i] for i in order), Attribution(shares.method, *(a[order] for a in arrays))


def _summary(core: Core, wanted: Sequence[str], shares: Attribution) -> pd.DataFrame:
    same = shares.method == "none"
    prior = np.array([core.prior[core.causes.index(name)] for name in wanted])
    return pd.DataFrame(
        {
            "label": [core.knowledge.causes[name].label for name in wanted],
            "prior": prior,
            "posterior": prior if same else posterior_of(shares.after),
            "prior_log_odds": shares.before,
            "log_odds": shares.after,
        },
        index=pd.Index(wanted, name="cause"),
    )


def _table(
    core: Core,
    observations: Observations,
    wanted: Sequence[str],
    shares: Attribution,
    shown: Mapping[str, str],
) -> pd.DataFrame:
    names, behind = observations.names, NumbersBehind(core.knowledge, core.model, observations)
    order = np.argsort(-np.round(np.abs(shares.contribution), 12), axis=1, kind="stable")
    pairs = [(cause, names[i]) for cause, row in zip(wanted, order, strict=True) for i in row]
    labels = {name: observation_label(core, name) for name in names}
    frame = pd.DataFrame(
        {
            "label": [labels[name] for _, name in pairs],
            "value": [shown[name] for _, name in pairs],
            "contribution": np.take_along_axis(shares.contribution, order, axis=1).ravel(),
            "lr_alone": np.exp(np.take_along_axis(shares.alone, order, axis=1)).ravel(),
            "lr_in_context": np.exp(np.take_along_axis(shares.in_context, order, axis=1)).ravel(),
        },
        index=pd.MultiIndex.from_tuples(pairs, names=["cause", "observation"])
        if pairs
        else pd.MultiIndex.from_arrays([[], []], names=["cause", "observation"]),
    )
    numbers = [behind.number(cause, name) for cause, name in pairs]
    columns = {name: [getattr(one, name) for one in numbers] for name in NUMBER_COLUMNS}
    return pd.concat([frame, pd.DataFrame(columns, index=frame.index)], axis=1)


def observation_label(core: Core, name: str) -> str:
    """Return the label of a finding, a risk or a measure."""
    knowledge = core.knowledge
    for table in (knowledge.findings, knowledge.risks, knowledge.measures):
        if name in table:
            return table[name].label
    return name


def _bare(
    summary: pd.DataFrame,
    table: pd.DataFrame,
    status: Status,
    clashes: tuple[str, ...],
    understood: Mapping[str, str],
) -> Explanation:
    """Return what is left where nothing can be shared out."""
    none = pd.MultiIndex.from_arrays([[], []], names=["cause", "rival"])
    return Explanation(
        causes=summary,
        table=table,
        credit=pd.DataFrame(columns=list(CREDIT), index=none.set_names(["finding", "cause"])),
        away=pd.DataFrame(columns=list(AWAY), index=none),
        could_matter=pd.DataFrame(
            columns=list(FurtherAnswer._fields), index=none.set_names(["cause", "finding"])
        ),
        method="none",
        status=status,
        clashes=clashes,
        understood=understood,
    )
