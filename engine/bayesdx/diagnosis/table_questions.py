"""Questions about every case of a table, as methods of an engine."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from bayesdx.case_columns import column_roles
from bayesdx.case_frames import CaseTable, cases_frame
from bayesdx.diagnosis.many_cases import ManyAnswers, ask_each
from bayesdx.diagnosis.predictive_check import DRAWS, FALSE_ALARM, Reporting, surprise
from bayesdx.frozen import ReadOnly

if TYPE_CHECKING:
    from bayesdx.diagnosis.core import Core
    from bayesdx.diagnosis.explaining.many import CaseExplanations

# A question is imported when it is first asked: most programs ask one or two of them.


class TableQuestions(ReadOnly):
    """What can be asked about every case of a table at once, beside the scores.

    In all methods ``cases`` is a table of any kind as for `Engine.score`; its reserved columns are
    no evidence. A row that cannot be read costs that row alone: its status is ``rejected``, and
    ``fault`` says why. A column that names nothing raises `InvalidCase`.
    """

    core: Core

    def explain_many(
        self, cases: CaseTable, causes: str | Sequence[str] | None = None
    ) -> CaseExplanations:
        """Explain causes of many cases; contributions are shared out as by `Engine.explain`.

        Parameters
        ----------
        cases : DataFrame, Arrow or polars table, list of mappings
            As for `Engine.score`.
        causes : str or sequence of str, optional
            The causes to explain in every case; the most probable one of each when not given.

        Returns
        -------
        CaseExplanations

        Raises
        ------
        InvalidCase
            When a column names nothing, or there is no such cause.

        Examples
        --------
        >>> import bayesdx
        >>> engine = bayesdx.load()
        >>> found = engine.explain_many([{"fair_pos": "present"}, {"fever": "perhaps"}], "gtps")
        >>> found.cases["status"].tolist()
        ['ok', 'rejected']
        """
        from bayesdx.diagnosis.explaining.many import explain_many

        return explain_many(self.core, self._evidence(cases), causes)

    def intervals_many(
        self, cases: CaseTable, level: float = 0.9, draws: int = 2000, seed: int = 0
    ) -> ManyAnswers:
        """Say how sure the answer to each case is; the same drawn numbers serve all.

        Parameters
        ----------
        cases : DataFrame, Arrow or polars table, list of mappings
            As for `Engine.score`.
        level, draws, seed
            As for `Engine.intervals`.

        Returns
        -------
        ManyAnswers
            Of `Intervals`; ``table`` by (case, cause).

        Raises
        ------
        InvalidCase
            When a column names nothing.
        BayesdxError
            When level, draws or seed are out of bounds.

        Examples
        --------
        >>> import bayesdx
        >>> engine = bayesdx.load()
        >>> found = engine.intervals_many([{"fair_pos": "present"}, {"fever": 1}], draws=50)
        >>> found.table.index.names
        FrozenList(['case', 'cause'])
        """
        from bayesdx.diagnosis.intervals import check_draws, intervals

        check_draws(level, draws, seed)
        core = self.core
        return ask_each(
            core,
            self._evidence(cases),
            lambda case: intervals(core, case, level=level, draws=draws, seed=seed),
        )

    def surprise_many(
        self,
        cases: CaseTable,
        *,
        draws: int = DRAWS,
        false_alarm: float = FALSE_ALARM,
        reporting: Reporting = "told",
        seed: int = 0,
    ) -> ManyAnswers:
        """Say how well the model fits each case.

        Parameters
        ----------
        cases : DataFrame, Arrow or polars table, list of mappings
            As for `Engine.score`.
        draws, false_alarm, reporting, seed
            As for `Engine.surprise`.

        Returns
        -------
        ManyAnswers
            Of `Surprise`; ``table`` by (case, observation).

        Raises
        ------
        InvalidCase
            When a column names nothing, or an argument is out of range.

        Examples
        --------
        >>> import bayesdx
        >>> engine = bayesdx.load()
        >>> found = engine.surprise_many([{"fair_pos": "present", "fever": "absent"}], draws=199)
        >>> found.cases["outside"].tolist()
        [False]
        """
        core = self.core
        return ask_each(
            core,
            self._evidence(cases),
            lambda case: surprise(
                core,
                case,
                draws=draws,
                false_alarm=false_alarm,
                reporting=reporting,
                seed=seed,
            ),
        )

    def next_questions_many(
        self,
        cases: CaseTable,
        *,
        cause: str | None = None,
        observed_by: str | Sequence[str] | None = None,
        without: Collection[str] = (),
        limit: int | None = None,
    ) -> ManyAnswers:
        """Rank what is not known of each case by what asking for it is worth.

        Parameters
        ----------
        cases : DataFrame, Arrow or polars table, list of mappings
            As for `Engine.score`.
        cause, observed_by, without, limit
            As for `Engine.next_questions`.

        Returns
        -------
        ManyAnswers
            Of `NextQuestions`; ``table`` by (case, question).

        Raises
        ------
        InvalidCase
            When a column or an argument names nothing.

        Examples
        --------
        >>> import bayesdx
        >>> engine = bayesdx.load()
        >>> found = engine.next_questions_many([{"fair_pos": "present"}, {"fever": 1}], limit=2)
        >>> len(found.table)
        4
        """
        from bayesdx.diagnosis.asking.questions import next_questions

        core = self.core
        return ask_each(
            core,
            self._evidence(cases),
            lambda case: next_questions(
                core, case, cause=cause, observed_by=observed_by, without=without, limit=limit
            ),
        )

    def rank_causes_many(self, cases: CaseTable) -> ManyAnswers:
        """Rank the causes of each case by what would change without them, all cases at once.

        Parameters
        ----------
        cases : DataFrame, Arrow or polars table, list of mappings
            As for `Engine.score`.

        Returns
        -------
        ManyAnswers
            Of `CausalTable`; ``table`` by (case, cause).

        Raises
        ------
        InvalidCase
            When a column names nothing.

        Examples
        --------
        >>> import bayesdx
        >>> engine = bayesdx.load()
        >>> engine.rank_causes_many([{"fair_pos": "present"}, {}]).cases["symptoms"].tolist()
        [1, 0]
        """
        from bayesdx.diagnosis.causal import rank_causes, rank_tables

        core = self.core
        return ask_each(
            core,
            self._evidence(cases),
            lambda case: rank_causes(core, case),
            lambda several: rank_tables(core, several),
        )

    def _evidence(self, cases: CaseTable) -> pd.DataFrame:
        """Read a table of any kind, without its reserved columns."""
        frame = cases_frame(cases)
        names = column_roles(frame.columns.tolist(), self.core.reader.names.knows).evidence
        return frame[list(names)]
