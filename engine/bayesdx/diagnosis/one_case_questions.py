"""Questions about one case, as methods of an engine."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from bayesdx.case_frames import OneCase, one_case
from bayesdx.diagnosis.predictive_check import DRAWS, FALSE_ALARM, Reporting, Surprise, surprise
from bayesdx.frozen import ReadOnly

if TYPE_CHECKING:
    import pandas as pd

    from bayesdx.diagnosis.asking.questions import NextQuestions
    from bayesdx.diagnosis.causal import CausalTable
    from bayesdx.diagnosis.changing.before_after import WhatIf
    from bayesdx.diagnosis.changing.tipping_points import TurningPoints
    from bayesdx.diagnosis.core import Core
    from bayesdx.diagnosis.explaining.explanation import Explanation
    from bayesdx.diagnosis.intervals import Intervals
    from bayesdx.knowledge.profile_schema import Profile

# A question is imported when it is first asked: most programs ask one or two of them.


class CaseQuestions(ReadOnly):
    """What can be asked about one case beside its diagnosis.

    In all methods ``findings`` is one case as for `Engine.diagnose`; what cannot be read raises
    `InvalidCase`, with every fault.
    """

    core: Core

    def explain(self, findings: OneCase, cause: str | Sequence[str] | None = None) -> Explanation:
        """Say what each observation does to each cause.

        Contributions, in log-odds, are Shapley values: they add up to the distance from prior to
        posterior.

        Parameters
        ----------
        findings : mapping or Series
            One case, as for `Engine.diagnose`.
        cause : str or sequence of str, optional
            The causes to explain; all when not given.

        Returns
        -------
        Explanation

        Raises
        ------
        InvalidCase
            When the case cannot be read, or there is no such cause.
        TooComplex
            When the case, or what is known of it in part, couples too much: an explanation is made
            of hundreds of answers, none of which is put together of parts.

        Examples
        --------
        >>> import bayesdx
        >>> engine = bayesdx.load()
        >>> found = engine.explain({"fair_pos": "present", "fever": "absent"}, "gtps")
        >>> sorted(found.of("gtps").index)
        ['fair_pos', 'fever']
        """
        from bayesdx.diagnosis.explaining.explanation import explain

        return explain(self.core, one_case(findings), cause)

    def next_questions(
        self,
        findings: OneCase,
        *,
        cause: str | None = None,
        observed_by: str | Sequence[str] | None = None,
        without: Collection[str] = (),
        limit: int | None = None,
    ) -> NextQuestions:
        """Rank what is not known by what asking for it is worth.

        Red-flag questions come first, then expected information about the causes per cost.

        Parameters
        ----------
        findings : mapping or Series
            One case, as for `Engine.diagnose`.
        cause : str, optional
            Ask about this modelled cause alone.
        observed_by : str or sequence of str, optional
            Who can answer: ``patient``, ``examiner``, ``laboratory``, ``imaging``, or an asker of
            the knowledge; everybody when not given.
        without : collection of str
            Questions that were put and could not be answered.
        limit : int, optional
            How many questions to return at most.

        Returns
        -------
        NextQuestions

        Raises
        ------
        InvalidCase
            When the case cannot be read, or an argument names nothing.

        Examples
        --------
        >>> import bayesdx
        >>> engine = bayesdx.load()
        >>> found = engine.next_questions({"fair_pos": "present"}, observed_by="patient", limit=2)
        >>> len(found.table)
        2
        """
        from bayesdx.diagnosis.asking.questions import next_questions

        return next_questions(
            self.core,
            one_case(findings),
            cause=cause,
            observed_by=observed_by,
            without=without,
            limit=limit,
        )

    def intervals(
        self,
        findings: OneCase,
        level: float = 0.9,
        draws: int = 2000,
        seed: int = 0,
    ) -> Intervals:
        """Say how sure the answer to one case is, as unsure as the stated numbers are.

        Parameters
        ----------
        findings : mapping or Series
            One case, as for `Engine.diagnose`.
        level : float
            Strictly between 0 and 1.
        draws : int
            Sets of numbers that are drawn, from 2 to 20,000; the first use of a number of draws and
            a seed takes seconds.
        seed : int
            Not negative.

        Returns
        -------
        Intervals

        Raises
        ------
        InvalidCase
            When the case cannot be read.
        BayesdxError
            When level, draws or seed are out of bounds.

        Examples
        --------
        >>> import bayesdx
        >>> engine = bayesdx.load()
        >>> first = engine.intervals({"fair_pos": "present"}, draws=50).table.iloc[0]
        >>> bool(first["low"] <= first["high"])
        True
        """
        from bayesdx.diagnosis.intervals import intervals

        return intervals(self.core, one_case(findings), level=level, draws=draws, seed=seed)

    def surprise(
        self,
        findings: OneCase,
        *,
        draws: int = DRAWS,
        false_alarm: float = FALSE_ALARM,
        reporting: Reporting = "told",
        seed: int = 0,
    ) -> Surprise:
        """Say how well the model fits one case: whether it is rare, or its findings disagree.

        Parameters
        ----------
        findings : mapping or Series
            One case, as for `Engine.diagnose`.
        draws : int
            Cases of the model to compare with, from ``2 / false_alarm`` to 100,000.
        false_alarm : float
            Largest share of cases from the model that may be called outside it.
        reporting : {"told", "asked"}
            How the findings came to be known.
        seed : int

        Returns
        -------
        Surprise

        Raises
        ------
        InvalidCase
            When the case cannot be read, or an argument is out of range.

        Examples
        --------
        >>> import bayesdx
        >>> engine = bayesdx.load()
        >>> engine.surprise({"fair_pos": "present", "fever": "absent"}, draws=199).outside
        False
        """
        return surprise(
            self.core,
            one_case(findings),
            draws=draws,
            false_alarm=false_alarm,
            reporting=reporting,
            seed=seed,
        )

    def rank_causes(self, findings: OneCase) -> CausalTable:
        """Rank causes by what would change without them (Richens, Lee and Johri 2020).

        Parameters
        ----------
        findings : mapping or Series
            One case, as for `Engine.diagnose`.

        Returns
        -------
        CausalTable

        Raises
        ------
        InvalidCase
            When the case cannot be read.

        Examples
        --------
        >>> import bayesdx
        >>> engine = bayesdx.load()
        >>> engine.rank_causes({"fair_pos": "present", "fever": "absent"}).symptoms
        1
        """
        from bayesdx.diagnosis.causal import rank_causes

        return rank_causes(self.core, one_case(findings))

    def what_if(
        self,
        findings: OneCase,
        change: Mapping[str, object] | None = None,
        *,
        priors: Mapping[str, float] | None = None,
        profile: Profile | None = None,
    ) -> WhatIf:
        """Answer one case as it is and as it would be.

        Parameters
        ----------
        findings : mapping or Series
            One case, as for `Engine.diagnose`.
        change : mapping, optional
            Findings that would be otherwise; ``unknown`` takes one away.
        priors : mapping of str to float, optional
            Other priors, by cause.
        profile : Profile, optional
            Priors of a setting, see `read_profile`; those of ``priors`` win.

        Returns
        -------
        WhatIf

        Raises
        ------
        InvalidCase
            When either case cannot be read, or nothing would be otherwise.
        InvalidKnowledge
            When a prior is no probability, not of a modelled cause, or cannot hold.

        Examples
        --------
        >>> import bayesdx
        >>> engine = bayesdx.load()
        >>> found = engine.what_if({"fair_pos": "present"}, {"fever": "present"})
        >>> found.changed["fever"]
        ('unknown', 'present')
        """
        from bayesdx.diagnosis.changing.before_after import what_if

        return what_if(self.core, one_case(findings), change, priors=priors, profile=profile)

    def tornado(self, findings: OneCase, cause: str | None = None) -> pd.DataFrame:
        """Move every stated number to the ends of its range, one at a time.

        Parameters
        ----------
        findings : mapping or Series
            One case, as for `Engine.diagnose`.
        cause : str, optional
            Whose posterior is watched; the first when not given.

        Returns
        -------
        DataFrame
            A row a number, the widest swing first: title, value, low, high, posterior, at_low,
            at_high, swing ...; `bayesdx.plot_tornado` draws it.

        Raises
        ------
        InvalidCase
            When the case cannot be read, or is impossible.
        InvalidKnowledge
            When there is no such cause.

        Examples
        --------
        >>> import bayesdx
        >>> engine = bayesdx.load()
        >>> bool(engine.tornado({"fair_pos": "present"})["swing"].is_monotonic_decreasing)
        True
        """
        from bayesdx.diagnosis.changing.tornado import tornado

        return tornado(self.core, one_case(findings), cause)

    def turning_points(self, findings: OneCase, *, largest: int = 3) -> TurningPoints:
        """Find the smallest changes, of a number or of findings, that change the answer.

        Parameters
        ----------
        findings : mapping or Series
            One case, as for `Engine.diagnose`.
        largest : int
            Most findings changed at once, at least 1.

        Returns
        -------
        TurningPoints

        Raises
        ------
        InvalidCase
            When the case cannot be read or is impossible, or the bound is not positive.

        Examples
        --------
        >>> import bayesdx
        >>> engine = bayesdx.load()
        >>> found = engine.turning_points({"fair_pos": "present"}, largest=1)
        >>> found.findings.searched["first"]
        1
        """
        from bayesdx.diagnosis.changing.tipping_points import turning_points

        return turning_points(self.core, one_case(findings), largest=largest)
