"""The engine: knowledge in, posterior tables out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from bayesdx.building.assembly import Assembly
from bayesdx.case_columns import ColumnRoles, column_roles
from bayesdx.case_frames import CaseTable, OneCase, as_given, cases_frame, one_case
from bayesdx.checked_names import choice_faults
from bayesdx.diagnosis.core import Core, build_core
from bayesdx.diagnosis.diagnosing import Diagnosis, diagnose
from bayesdx.diagnosis.frames import causes_frame, engine_parts, findings_frame, risks_frame
from bayesdx.diagnosis.learning.learning_questions import LearningQuestions
from bayesdx.diagnosis.scoring import (
    FAULT,
    LAST_COLUMNS,
    UNEXPLAINED,
    OnBadRow,
    rows_frame,
    score_rows,
)
from bayesdx.diagnosis.shortlist import MEASURES, Measure
from bayesdx.diagnosis.table_questions import TableQuestions
from bayesdx.errors import Fault, InvalidCase, InvalidKnowledge
from bayesdx.frozen import PlainParts
from bayesdx.inference.machine_code import Backend
from bayesdx.knowledge.codes import read_codes
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.profile_schema import Profile
from bayesdx.knowledge.profiles import in_setting
from bayesdx.knowledge.reading import read_knowledge

# A question is imported when it is first asked: most programs ask one or two of them.

NOT_A_DEVICE = "Educational decision support. Not a medical device; it rules nothing out."


def load(
    folder: str | Path | None = None,
    *,
    setting: str | Path | None = None,
    codes: str | Path | None = None,
    backend: Backend = "auto",
) -> Engine:
    """Read a knowledge folder, build its network, and return an engine for it.

    Parameters
    ----------
    folder : path, optional
        A folder laid out as ``priors/``; the packaged knowledge when not given.
    setting : str or path, optional
        Whose priors to take: ``general_practice``, ``emergency_department``, ``physiotherapy``,
        ``spine_or_pain_clinic``, or a file as `read_profile` takes it. Those of R without it.
    codes : path, optional
        A map to codes of other systems, a CSV with the columns ``id``, ``system``, ``code`` and, if
        wanted, ``display``; `Diagnosis.codes` shows them beside ICD-10-CM and HPO.
    backend : {"auto", "numpy", "compiled"}
        Who does the arithmetic. "auto" takes what is sooner done: the compiled sweep of the extra
        ``fast`` where its machine code is loaded, or is worth loading or compiling (`bayesdx
        prepare` compiles ahead). Answers agree to 1e-12.

    Returns
    -------
    Engine

    Raises
    ------
    InvalidKnowledge
        With every fault of the folder or the map; when there is no such setting.
    BayesdxError
        When "compiled" is asked for and numba is not installed.

    Examples
    --------
    >>> import bayesdx
    >>> bayesdx.load().diagnose({"fair_pos": "present"}).status
    'ok'
    >>> bayesdx.load(setting="emergency_department").diagnose({}).setting
    'emergency department'
    """
    knowledge = read_knowledge(Path(folder) if folder is not None else None)
    if codes is not None:
        knowledge = knowledge.model_copy(update={"codes": read_codes(codes, knowledge)})
    return Engine(in_setting(knowledge, setting), backend)


class Engine(PlainParts, TableQuestions, LearningQuestions):
    """Answers questions about cases, exactly; immutable and safe to share between threads.

    It pickles, also with cloudpickle, and can be copied: another process answers alike, without
    reading the knowledge anew.

    Attributes
    ----------
    core : Core
        What all questions are answered from.
    """

    core: Core

    def __init__(self, knowledge: Knowledge, backend: Backend = "auto") -> None:
        given: object = knowledge
        if not isinstance(given, Knowledge):
            expected = "Knowledge (bayesdx.load reads a folder)"
            raise InvalidKnowledge(Fault("knowledge", expected, given))
        self.__dict__["core"] = build_core(knowledge, backend)

    @property
    def knowledge(self) -> Knowledge:
        """With calibrated numbers in the place of elicited ones."""
        return self.core.knowledge

    @property
    def assembly(self) -> Assembly:
        """The network, its compiled form, and how well it gives back what is stated."""
        return self.core.assembly

    @property
    def causes(self) -> pd.DataFrame:
        """Causes by id; a copy, which can be changed at will."""
        return self.core.once(causes_frame).copy()

    @property
    def findings(self) -> pd.DataFrame:
        """Findings by id; a copy, which can be changed at will."""
        return self.core.once(findings_frame).copy()

    @property
    def risks(self) -> pd.DataFrame:
        """Risks by id; a copy, which can be changed at will."""
        return self.core.once(risks_frame).copy()

    def _described(self) -> dict[str, Any]:
        return engine_parts(self.core)

    def __repr__(self) -> str:
        model, core = self.knowledge.model, self.core
        return (
            f"Engine({model.name} {model.version}: {len(core.causes)} causes, "
            f"{len(core.knowledge.findings)} findings, {len(core.knowledge.risks)} risks)"
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p><p><small>{NOT_A_DEVICE}</small></p>"

    def diagnose(self, findings: OneCase) -> Diagnosis:
        """Answer one case.

        Parameters
        ----------
        findings : mapping or Series, or a table of one row
            Finding, risk or measure (id or alias) to its value: ``present`` or ``absent`` (also
            yes/no, true/false, 1/0), a state name, a number in the declared unit, a number
            strictly between 0 and 1 for soft evidence, blank or ``unknown`` for not known.

        Returns
        -------
        Diagnosis

        Raises
        ------
        InvalidCase
            With every unknown name, unreadable value and contradiction.

        Examples
        --------
        >>> import bayesdx
        >>> engine = bayesdx.load()
        >>> found = engine.diagnose({"low_back_pain": "present", "fair_pos": "yes", "age": 60})
        >>> found.table.index[-1], found.status
        ('unexplained', 'ok')
        """
        return diagnose(self.core, one_case(findings))

    def score(
        self,
        cases: CaseTable,
        *,
        id: str | None = None,
        keep: str | Iterable[str] = (),
        ignore: str | Iterable[str] = (),
        measure: Measure = "posterior",
        on_error: OnBadRow = "raise",
    ) -> Any:
        """Answer a table of cases.

        Parameters
        ----------
        cases : DataFrame, Arrow or polars table, list of mappings, mapping or Series
            One row a case, one column a finding, risk or measure; cells as in `diagnose`. The
            columns ``case_id``, ``expected_cause``, ``acceptable``, ``urgency``, ``source`` and
            ``note`` are about the case and never evidence. A mapping of lists is a table by
            columns; a mapping of single values, or a Series, is one case.
        id : str, optional
            The column that names the cases, ``case_id`` when not given; it comes first in the
            answer.
        keep : str or iterable of str
            Columns to copy to the answer; one that names a finding is evidence all the same.
        ignore : str or iterable of str
            Columns that are no evidence.
        measure : {"posterior", "explains", "plays_a_part"}
            What is said of each cause: how probable it is, which share of the picture it explains,
            how probable it is that it produced some of the present findings. ``unexplained`` is
            then the background's share, or what it is for posteriors.
        on_error : {"raise", "reject", "skip"}
            What a row does that cannot be read: raise; stay, with the status ``rejected``, why in a
            last column ``fault``, and nothing else; or be left out. A column that names nothing
            always raises.

        Returns
        -------
        DataFrame
            Or a table of Arrow or polars, where the cases are one. Same index; the id and what is
            kept, then one column a cause id with its posterior, then ``unexplained``,
            ``log_evidence``, ``status``, ``urgency``, ``red_flags`` (ids of fired rules, then
            ``expected_loss:`` with a cause whose expected loss calls for action, joined by ``;``).
            Where the status is ``impossible`` or ``too_complex`` (more is coupled than can be
            summed over) there is no posterior and the priors stand in its place.

        Raises
        ------
        InvalidCase
            With every unknown column, unreadable cell and contradiction, by row and column; when an
            argument names no column; an unknown measure or ``on_error``.

        Examples
        --------
        >>> import bayesdx
        >>> engine = bayesdx.load()
        >>> cases = [{"case_id": "a", "fair_pos": "present", "ward": 3}, {"case_id": "b"}]
        >>> engine.score(cases, keep="ward")[["case_id", "ward", "status"]].values.tolist()
        [['a', 3, 'ok'], ['b', None, 'no_findings']]
        >>> cases = [{"fever": "yes"}, {"fever": "perhaps"}]
        >>> engine.score(cases, on_error="reject")["status"].tolist()
        ['ok', 'rejected']
        """
        faults = choice_faults("measure", measure, MEASURES)
        faults += choice_faults("on_error", on_error, get_args(OnBadRow))
        if faults:
            raise InvalidCase(faults)
        frame, roles = self._read_table(cases, id, keep, ignore, on_error)
        evidence = frame[list(roles.evidence)]
        parts = score_rows(
            self.core, evidence, range(len(frame)), on_error=on_error, measure=measure
        )
        result = rows_frame(self.core, parts, on_error)
        if len(result) < len(frame):
            frame = frame.iloc[result.index]
        result = result.set_axis(frame.index, axis=0)
        if roles.copied:
            result = pd.concat([frame[list(roles.copied)], result], axis=1)
        return as_given(result, cases)

    def _read_table(
        self,
        cases: CaseTable,
        label: str | None = None,
        keep: str | Iterable[str] = (),
        ignore: str | Iterable[str] = (),
        on_error: OnBadRow = "raise",
    ) -> tuple[pd.DataFrame, ColumnRoles]:
        frame, core = cases_frame(cases), self.core
        last = (FAULT,) if on_error == "reject" else ()
        answers = (*core.causes, UNEXPLAINED, *LAST_COLUMNS, *last)
        names = frame.columns.tolist()
        knows = core.reader.names.knows
        roles = column_roles(names, knows, id=label, keep=keep, ignore=ignore, answers=answers)
        return frame, roles

    def with_priors(
        self, priors: Mapping[str, float] | None = None, profile: Profile | None = None
    ) -> Engine:
        """Return an engine with other priors; see `bayesdx.knowledge.profiles`.

        Parameters
        ----------
        priors : mapping of str to float, optional
            By cause; they win over those of ``profile``.
        profile : Profile, optional
            Of a setting, see `read_profile`.

        Returns
        -------
        Engine

        Raises
        ------
        InvalidKnowledge
            When a prior is no probability, not of a modelled cause, or cannot hold.

        Examples
        --------
        >>> import bayesdx
        >>> engine = bayesdx.load().with_priors({"gtps": 0.3})
        >>> float(engine.causes.loc["gtps", "prior"])
        0.3
        """
        from bayesdx.diagnosis.changing.before_after import changed_knowledge

        return Engine(changed_knowledge(self.knowledge, priors, profile), self.core.backend)
