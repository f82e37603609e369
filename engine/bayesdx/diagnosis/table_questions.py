"""Questions about every case of a table, as methods of an engine."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, cast

import pandas as pd

from bayesdx.case_columns import column_roles
from bayesdx.case_frames import CaseTable, OneCase, cases_frame
from bayesdx.diagnosis.many_cases import ManyAnswers, ask_each
from bayesdx.diagnosis.one_case_questions import CaseQuestions

if TYPE_CHECKING:
    from bayesdx.diagnosis.cases import Cases
    from bayesdx.diagnosis.core import Core
    from bayesdx.diagnosis.explaining.many import CaseExplanations

# A question is imported when it is first asked: most programs ask one or two of them.

P = ParamSpec("P")
#: Answers some cases, given the options of the question about one by name.
Ask = Callable[..., Sequence[Any]]
DOCUMENTATION = """{summary}

Parameters
----------
cases : DataFrame, Arrow or polars table, list of mappings
    As for `Engine.score`.
{options}
Returns
-------
ManyAnswers
    Of `{answer}`; ``table`` by (case, {level}).

Raises
------
InvalidCase
    When a column or an option names nothing.
BayesdxError
    When an option is out of bounds.

Examples
--------
>>> import bayesdx
>>> engine = bayesdx.load()
{example}
"""


def of_tables(
    question: Callable[Concatenate[Any, OneCase, P], Any], level: str, summary: str, example: str
) -> Callable[[Ask], Callable[Concatenate[Any, CaseTable, P], ManyAnswers]]:
    """Make the method that puts a question about one case to every case of a table.

    Its options, with their defaults, are those of the question: they are stated there alone.

    Parameters
    ----------
    question : function
        A method of `CaseQuestions`.
    level : str
        What the rows of an answer's table are about.
    summary, example : str
        For its documentation; an engine is loaded in the example.
    """
    signature = inspect.signature(question)
    engine, _, *options = signature.parameters.values()
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    cases = inspect.Parameter("cases", kind, annotation="CaseTable")
    named = ", ".join(one.name for one in options)
    told = f"{named}\n    As for `Engine.{question.__name__}`.\n" if options else ""

    def decorate(ask: Ask) -> Callable[Concatenate[Any, CaseTable, P], ManyAnswers]:
        def method(
            self: TableQuestions, cases: CaseTable, *args: P.args, **given: P.kwargs
        ) -> ManyAnswers:
            bound = signature.bind(self, cases, *args, **given)
            bound.apply_defaults()
            chosen = {one.name: bound.arguments[one.name] for one in options}
            return ask_each(self.core, self._evidence(cases), partial(ask, self.core, **chosen))

        method.__name__ = f"{question.__name__}_many"
        method.__qualname__ = f"TableQuestions.{method.__name__}"
        method.__doc__ = DOCUMENTATION.format(
            summary=summary,
            options=told,
            answer=signature.return_annotation,
            level=level,
            example=example,
        )
        # What `help` and editors at run time show.
        method.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[engine, cases, *options], return_annotation="ManyAnswers"
        )
        # Its first arguments have names as well, which the type cannot say.
        return cast("Callable[Concatenate[Any, CaseTable, P], ManyAnswers]", method)

    return decorate


@of_tables(
    CaseQuestions.intervals,
    "cause",
    "Say how sure the answer to each case is; the same drawn numbers serve all.",
    """>>> found = engine.intervals_many([{"fair_pos": "present"}, {"fever": 1}], draws=50)
>>> found.table.index.names
FrozenList(['case', 'cause'])""",
)
def _intervals(core: Core, cases: Cases, **options: Any) -> Sequence[Any]:
    from bayesdx.diagnosis.intervals import intervals

    return [intervals(core, case, **options) for case in cases.each()]


@of_tables(
    CaseQuestions.surprise,
    "observation",
    "Say how well the model fits each case.",
    """>>> found = engine.surprise_many([{"fair_pos": "present", "fever": "absent"}], draws=199)
>>> found.cases["outside"].tolist()
[False]""",
)
def _surprises(core: Core, cases: Cases, **options: Any) -> Sequence[Any]:
    from bayesdx.diagnosis.predictive_check import surprise

    return [surprise(core, case, **options) for case in cases.each()]


@of_tables(
    CaseQuestions.next_questions,
    "question",
    "Rank what is not known of each case by what asking for it is worth, all cases at once.",
    """>>> found = engine.next_questions_many([{"fair_pos": "present"}, {"fever": 1}], limit=2)
>>> len(found.table)
4""",
)
def _next_questions(core: Core, cases: Cases, **options: Any) -> Sequence[Any]:
    from bayesdx.diagnosis.asking.questions import questions_of

    return questions_of(core, cases, **options)


@of_tables(
    CaseQuestions.rank_causes,
    "cause",
    "Rank the causes of each case by what would change without them, all cases at once.",
    """>>> engine.rank_causes_many([{"fair_pos": "present"}, {}]).cases["symptoms"].tolist()
[1, 0]""",
)
def _rankings(core: Core, cases: Cases) -> Sequence[Any]:
    from bayesdx.diagnosis.causal import rank_tables

    return rank_tables(core, cases)


class TableQuestions(CaseQuestions):
    """What can be asked about every case of a table at once, beside the scores.

    In all methods ``cases`` is a table of any kind as for `Engine.score`; its reserved columns are
    no evidence. A row that cannot be read costs that row alone: its status is ``rejected``, and
    ``fault`` says why. A column that names nothing raises `InvalidCase`.
    """

    intervals_many = _intervals
    surprise_many = _surprises
    next_questions_many = _next_questions
    rank_causes_many = _rankings

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

    def _evidence(self, cases: CaseTable) -> pd.DataFrame:
        """Read a table of any kind, without its reserved columns."""
        frame = cases_frame(cases)
        names = column_roles(frame.columns.tolist(), self.core.reader.names.knows).evidence
        return frame[list(names)]
