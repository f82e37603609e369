"""What cases say of the numbers, as methods of an engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bayesdx.case_frames import CaseTable, cases_frame
from bayesdx.checked_names import names_of
from bayesdx.frozen import ReadOnly

if TYPE_CHECKING:
    from bayesdx.diagnosis.core import Core
    from bayesdx.diagnosis.drift_check import Drift
    from bayesdx.diagnosis.learning.case_statistics import CaseStatistics, NextRound
    from bayesdx.diagnosis.learning.case_weight import CaseWeight
    from bayesdx.diagnosis.learning.labels import Others
    from bayesdx.diagnosis.learning.learned import Learned
    from bayesdx.diagnosis.learning.learning_table import LabelledInput
    from bayesdx.diagnosis.scoring import OnBadRow
    from bayesdx.knowledge.learning_schema import Sample

# What learns is imported when it is first asked: most programs do not.


class LearningQuestions(ReadOnly):
    """Learning from cases at hand and from sums of cases elsewhere; whether cases still fit."""

    core: Core

    def learn(
        self,
        cases: CaseTable,
        *,
        diagnosis: str = "diagnosis",
        others: Others | None = None,
        sample: Sample = "selected",
        case_weight: CaseWeight = 1.0,
        folds: int = 5,
        seed: int = 0,
        id: str | None = None,
        ignore: str | Iterable[str] = (),
        on_error: OnBadRow = "raise",
    ) -> Learned:
        """Learn the stated numbers from cases, each from its value and range on.

        Parameters
        ----------
        cases : DataFrame, Arrow or polars table, list of mappings
            Findings as for `score`; a missing one was not asked. Labels in columns ``cause:ID``
            and ``group:ID`` (present, absent or blank; of a cause also a number between 0 and 1,
            how far somebody holds it to be present), and in ``diagnosis``: ids of causes with
            ``;`` between, or ``unexplained``. Causes without label are summed out.
        diagnosis : str
            The column of diagnoses.
        others : {"absent", "unknown"}
            What is known of causes that a diagnosis does not name; needed where there is one.
        sample : {"selected", "consecutive"}
            How cases were chosen. Priors of causes, effects of risks and prevalences are learned
            from consecutive cases only, and held fixed otherwise.
        case_weight : float or "auto"
            What each case counts as beside what was stated, above 0 and at most 1. Findings of
            real cases hang together in more ways than a network says, and numbers learned as if it
            were right answer too surely; ``"auto"`` takes 1, 0.5, 0.25 or 0.125, whichever answers
            cases best that are held out from the cases learned from (generalised Bayes, Gruenwald
            and van Ommen 2017). Every part of ``folds`` chooses for itself: some ten times as long.
        folds : int
            Parts of the cases that are scored by numbers learned from the others; at least 2.
        seed : int
            Of which case is in which part.
        id, ignore
            As for `score`.
        on_error : {"raise", "reject", "skip"}
            What a row does that cannot be read: raise, or be left out and told.

        Returns
        -------
        Learned
            Beside what was learned: scores of cases that were held out, before and after.

        Raises
        ------
        InvalidCase
            With every unknown column, label and cell; when there is nothing to learn from: no
            case, no finding (but consecutive cases, whose diagnoses alone tell of priors), the same
            labels in all cases, cases that are all impossible.
        BayesdxError
            When an option is out of bounds.

        Examples
        --------
        >>> import bayesdx
        >>> from importlib.resources import files
        >>> engine = bayesdx.load(folder=files("bayesdx") / "examples" / "starter")
        >>> cold = {"runny_nose": "yes", "diagnosis": "common_cold"}
        >>> well = {"runny_nose": "no", "diagnosis": "unexplained"}
        >>> found = engine.learn([cold, well] * 3, others="absent", folds=2)
        >>> found.counts["used"], found.sample
        (6, 'selected')
        """
        from bayesdx.diagnosis.learning.learning_run import learn
        from bayesdx.diagnosis.learning.learning_table import blocks_of

        return learn(
            self.core,
            blocks_of(cases_frame(cases)),
            _labelled_input(diagnosis, others, id, ignore, on_error),
            sample=sample,
            case_weight=case_weight,
            folds=folds,
            seed=seed,
        )

    def case_statistics(
        self,
        cases: CaseTable,
        *,
        at: NextRound | None = None,
        earlier: CaseStatistics | None = None,
        diagnosis: str = "diagnosis",
        others: Others | None = None,
        sample: Sample = "selected",
        least: int = 5,
        id: str | None = None,
        ignore: str | Iterable[str] = (),
        on_error: OnBadRow = "raise",
    ) -> CaseStatistics:
        """Sum up what cases say of the numbers, to be shared in place of the cases.

        Parameters
        ----------
        cases, diagnosis, others, sample, id, ignore, on_error : see `learn`
        at : NextRound, optional; the stated numbers by default
        earlier : CaseStatistics, optional
            Sums of the same cases in rounds before, to be added to.
        least : int
            Numbers of which fewer cases speak are named, not shared, and will not move.

        Returns
        -------
        CaseStatistics
            Sums over few cases can tell of single ones: share those of dozens at least.

        Raises
        ------
        InvalidCase, BayesdxError
            As `learn`; where the round is one of other numbers.

        Examples
        --------
        >>> import bayesdx
        >>> from importlib.resources import files
        >>> engine = bayesdx.load(folder=files("bayesdx") / "examples" / "starter")
        >>> cold = {"runny_nose": "yes", "cause:common_cold": "present"}
        >>> engine.case_statistics([cold] * 5 + [{"runny_nose": "no"}]).cases
        6
        """
        from bayesdx.diagnosis.learning.learning_table import blocks_of
        from bayesdx.diagnosis.learning.pooled_run import case_statistics

        return case_statistics(
            self.core,
            blocks_of(cases_frame(cases)),
            _labelled_input(diagnosis, others, id, ignore, on_error),
            at=at,
            earlier=earlier,
            sample=sample,
            least=least,
        )

    def learn_pooled(self, places: Sequence[CaseStatistics]) -> Learned | NextRound:
        """Learn from the sums of several places what `learn` would learn from all their cases.

        Parameters
        ----------
        places : sequence of CaseStatistics
            Of each place the one with all rounds so far.

        Returns
        -------
        Learned or NextRound
            What was learned, without scores of cases held out; or numbers at which every place is
            to be asked for its sums, some ten rounds in all.

        Raises
        ------
        BayesdxError
            When sums are of other numbers or another kind of sample, or given twice.

        Examples
        --------
        >>> import bayesdx
        >>> from importlib.resources import files
        >>> engine = bayesdx.load(folder=files("bayesdx") / "examples" / "starter")
        >>> cold = {"runny_nose": "yes", "diagnosis": "common_cold"}
        >>> well = {"runny_nose": "no", "diagnosis": "unexplained"}
        >>> tables = [cold, well] * 5, [cold, cold, well] * 5
        >>> places = [engine.case_statistics(one, others="absent") for one in tables]
        >>> found = engine.learn_pooled(places)
        >>> while isinstance(found, bayesdx.NextRound):
        ...     places = [
        ...         engine.case_statistics(one, others="absent", at=found, earlier=sums)
        ...         for one, sums in zip(tables, places, strict=True)
        ...     ]
        ...     found = engine.learn_pooled(places)
        >>> found.counts["used"]
        25
        """
        from bayesdx.diagnosis.learning.pooled_run import learn_pooled

        return learn_pooled(self.core, places)

    def drift(
        self,
        cases: CaseTable,
        *,
        time: str,
        window: str = "month",
        false_alarm: float = 0.01,
        references: int = 20,
        seed: int = 0,
        diagnosis: str = "diagnosis",
        others: Others | None = None,
        id: str | None = None,
        ignore: str | Iterable[str] = (),
        on_error: OnBadRow = "raise",
    ) -> Drift:
        """Say whether cases still are what the model says, window of time after window.

        Parameters
        ----------
        cases, diagnosis, others, id, ignore, on_error : see `learn`
            Cases need no labels.
        time : str
            The column of dates, as 2026-11-30 or with a time of day.
        window : {"day", "week", "month", "quarter", "year"}
        false_alarm : float
            Largest share of reports that tell of a drift where there is none, between 0 and 0.5.
        references : int
            Cases that the model makes for each given one, from 5 to 1,000.
        seed : int
            Of these.

        Returns
        -------
        Drift
            A drift says that something has changed, not what: people, how they are asked, how they
            are labelled, or the numbers.

        Raises
        ------
        InvalidCase
            Where the table, a date or an option cannot be read; every fault at once.

        Examples
        --------
        >>> import bayesdx
        >>> from importlib.resources import files
        >>> engine = bayesdx.load(folder=files("bayesdx") / "examples" / "starter")
        >>> day = [{"runny_nose": "yes", "on": f"2026-0{1 + i % 2}-01"} for i in range(24)]
        >>> found = engine.drift(day, time="on")
        >>> found.windows["cases"].to_dict()
        {'2026-01': 12, '2026-02': 12}
        """
        from bayesdx.diagnosis.drift_check import drift

        return drift(
            self.core,
            cases_frame(cases),
            _labelled_input(diagnosis, others, id, ignore, on_error),
            time=time,
            window=window,
            false_alarm=false_alarm,
            references=references,
            seed=seed,
        )


def _labelled_input(
    diagnosis: str,
    others: Others | None,
    id: str | None,
    ignore: str | Iterable[str],
    on_error: OnBadRow,
) -> LabelledInput:
    """How a method was told to read its table."""
    from bayesdx.diagnosis.learning.learning_table import LabelledInput

    ignored = names_of("ignore", "a column of the table, or several", ignore)
    return LabelledInput(diagnosis, others, id, ignored, on_error)
