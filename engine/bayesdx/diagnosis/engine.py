"""The engine: knowledge in, posterior tables out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from bayesdx.building.assembly import Assembly
from bayesdx.diagnosis.core import Core, build_core
from bayesdx.diagnosis.diagnosing import Diagnosis, diagnose
from bayesdx.diagnosis.frames import causes_frame, findings_frame, risks_frame
from bayesdx.diagnosis.predictive_check import DRAWS, FALSE_ALARM, Reporting, Surprise, surprise
from bayesdx.diagnosis.scoring import score_cases, scores_frame
from bayesdx.errors import Fault, InvalidCase
from bayesdx.inference.noisy.choice import Backend
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.profiles import Profile
from bayesdx.knowledge.reading import read_knowledge

if TYPE_CHECKING:
    from bayesdx.diagnosis.asking.questions import NextQuestions
    from bayesdx.diagnosis.causal import CausalTable
    from bayesdx.diagnosis.changing.before_after import WhatIf
    from bayesdx.diagnosis.changing.tipping_points import TurningPoints
    from bayesdx.diagnosis.explaining.explanation import Explanation
    from bayesdx.diagnosis.explaining.many import CaseExplanations
    from bayesdx.diagnosis.intervals import Intervals

# A question is imported when it is first asked: most programs ask one or two of them.

#: Rows read and scored together; bounds the memory of `Engine.score`.
ROWS_AT_ONCE = 1 << 16


def load(folder: str | Path | None = None, *, backend: Backend = "auto") -> Engine:
    """Read a knowledge folder, build its network, and return an engine for it.

    Parameters
    ----------
    folder : path, optional
        A folder laid out as ``priors/``; the packaged knowledge when not given.
    backend : {"auto", "numpy", "compiled"}
        Who does the arithmetic. "auto" takes what is sooner done: the compiled sweep of the extra
        ``fast`` where its machine code is loaded, or is worth loading or compiling (`bayesdx
        prepare` compiles ahead). Answers agree to 1e-12.

    Raises
    ------
    InvalidKnowledge
        With every fault of the folder.
    BayesdxError
        When "compiled" is asked for and numba is not installed.
    """
    return Engine(read_knowledge(Path(folder) if folder is not None else None), backend)


class Engine:
    """Answers questions about cases, exactly; immutable and safe to share between threads.

    Attributes
    ----------
    knowledge : Knowledge
        With calibrated numbers in the place of elicited ones.
    assembly : Assembly
        The network, its compiled form, and how well it gives back what is stated.
    core : Core
        What all questions are answered from.
    causes, findings, risks : DataFrame
        Indexed by id. Changing them changes nothing in the engine.
    """

    def __init__(self, knowledge: Knowledge, backend: Backend = "auto") -> None:
        self.core: Core = build_core(knowledge, backend)
        self.knowledge = self.core.knowledge
        self.assembly: Assembly = self.core.assembly
        self.causes = causes_frame(self.knowledge, knowledge)
        self.findings = findings_frame(self.knowledge, self.assembly.fits)
        self.risks = risks_frame(self.knowledge)

    def __repr__(self) -> str:
        model = self.knowledge.model
        return (
            f"Engine({model.name} {model.version}: {len(self.causes)} causes, "
            f"{len(self.findings)} findings, {len(self.risks)} risks)"
        )

    def diagnose(self, findings: Mapping[str, object]) -> Diagnosis:
        """Answer one case.

        Parameters
        ----------
        findings : mapping
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
        """
        return diagnose(self.core, findings)

    def score(self, cases: pd.DataFrame) -> pd.DataFrame:
        """Answer a table of cases.

        Parameters
        ----------
        cases : DataFrame
            One row a case, one column a finding, risk or measure; cells as in `diagnose`.

        Returns
        -------
        DataFrame
            Same index: one column a cause id with its posterior, then ``unexplained``,
            ``log_evidence``, ``status``, ``urgency``, ``red_flags`` (ids of fired rules, then
            ``expected_loss:`` with a cause whose expected loss calls for action, joined by ``;``).
            Where the status is ``impossible`` or ``too_complex`` (more is coupled than can be
            summed over) there is no posterior and the priors stand in its place.

        Raises
        ------
        InvalidCase
            With every unknown column, unreadable cell and contradiction, by row and column.
        """
        faults: list[Fault] = []
        parts = []
        if cases.columns.has_duplicates:
            names = cases.columns[cases.columns.duplicated()].unique()
            raise InvalidCase([Fault("columns", "each column once", str(name)) for name in names])
        for first in range(0, max(len(cases), 1), ROWS_AT_ONCE):
            part = cases.iloc[first : first + ROWS_AT_ONCE]
            columns = {name: part[name].array for name in part.columns}
            labels = range(first, first + len(part))
            try:
                read = self.core.reader.read(columns, len(part), labels)
            except InvalidCase as error:
                faults += [fault for fault in error.faults if fault not in faults]
                continue
            if not faults:
                parts.append(scores_frame(self.core, score_cases(self.core, read)))
        if faults:
            raise InvalidCase(faults)
        result = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
        return result.set_axis(cases.index, axis=0)

    def surprise(
        self,
        findings: Mapping[str, object],
        *,
        draws: int = DRAWS,
        false_alarm: float = FALSE_ALARM,
        reporting: Reporting = "told",
        seed: int = 0,
    ) -> Surprise:
        """Say how well the model fits one case; see `diagnosis.predictive_check`."""
        return surprise(
            self.core,
            findings,
            draws=draws,
            false_alarm=false_alarm,
            reporting=reporting,
            seed=seed,
        )

    def rank_causes(self, findings: Mapping[str, object]) -> CausalTable:
        """Rank causes by what would change without them; see `bayesdx.diagnosis.causal`."""
        from bayesdx.diagnosis.causal import rank_causes

        return rank_causes(self.core, findings)

    def explain(
        self, findings: Mapping[str, object], cause: str | Sequence[str] | None = None
    ) -> Explanation:
        """Say what each observation does to each cause; see `diagnosis.explaining`."""
        from bayesdx.diagnosis.explaining.explanation import explain

        return explain(self.core, findings, cause)

    def explain_many(
        self, cases: pd.DataFrame, causes: str | Sequence[str] | None = None
    ) -> CaseExplanations:
        """Explain many cases; see `bayesdx.diagnosis.explaining.many.explain_many`."""
        from bayesdx.diagnosis.explaining.many import explain_many

        return explain_many(self.core, cases, causes)

    def next_questions(
        self,
        findings: Mapping[str, object],
        *,
        cause: str | None = None,
        observed_by: str | Sequence[str] | None = None,
        without: Collection[str] = (),
        limit: int | None = None,
    ) -> NextQuestions:
        """Rank what is not known by what asking is worth; see `diagnosis.asking`."""
        from bayesdx.diagnosis.asking.questions import next_questions

        return next_questions(
            self.core,
            findings,
            cause=cause,
            observed_by=observed_by,
            without=without,
            limit=limit,
        )

    def intervals(
        self,
        findings: Mapping[str, object],
        level: float = 0.9,
        draws: int = 2000,
        seed: int = 0,
    ) -> Intervals:
        """Say how sure the answer to one case is; see `diagnosis.uncertainty`."""
        from bayesdx.diagnosis.intervals import intervals

        return intervals(self.core, findings, level=level, draws=draws, seed=seed)

    def what_if(
        self,
        findings: Mapping[str, object],
        change: Mapping[str, object] | None = None,
        *,
        priors: Mapping[str, float] | None = None,
        profile: Profile | None = None,
    ) -> WhatIf:
        """Answer one case as it is and as it would be; see `diagnosis.changing`."""
        from bayesdx.diagnosis.changing.before_after import what_if

        return what_if(self.core, findings, change, priors=priors, profile=profile)

    def tornado(self, findings: Mapping[str, object], cause: str | None = None) -> pd.DataFrame:
        """Move every stated number to the ends of its range; see `diagnosis.changing`."""
        from bayesdx.diagnosis.changing.tornado import tornado

        return tornado(self.core, findings, cause)

    def turning_points(self, findings: Mapping[str, object], *, largest: int = 3) -> TurningPoints:
        """Find the smallest changes that change the answer; see `diagnosis.changing`."""
        from bayesdx.diagnosis.changing.tipping_points import turning_points

        return turning_points(self.core, findings, largest=largest)

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

        Raises
        ------
        InvalidKnowledge
            When a prior is no probability, not of a modelled cause, or cannot hold.
        """
        from bayesdx.diagnosis.changing.before_after import changed_knowledge

        return Engine(changed_knowledge(self.knowledge, priors or {}, profile), self.core.backend)
