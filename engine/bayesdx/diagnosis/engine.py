"""The engine: knowledge in, posterior tables out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesdx.diagnosis.assembly import Assembly, assemble
from bayesdx.diagnosis.cases import CaseReader, Cases
from bayesdx.diagnosis.clashes import smallest_clash
from bayesdx.diagnosis.frames import causes_frame, findings_frame, risks_frame
from bayesdx.diagnosis.red_flags import (
    FIRED,
    RuleResult,
    evaluate,
    evaluate_many,
    urgency,
    urgency_many,
)
from bayesdx.diagnosis.results import (
    IMPOSSIBLE,
    NO_FINDINGS,
    OK,
    Diagnosis,
    RedFlagHit,
    Status,
)
from bayesdx.diagnosis.texts import TextHit, evaluate_texts
from bayesdx.diagnosis.triage import (
    TriageHit,
    build_triage,
    level_many,
    triage_case,
    triage_many,
)
from bayesdx.errors import Fault, InvalidCase
from bayesdx.inference import Answer, Evidence, Variants, no_evidence, posteriors
from bayesdx.inference.model import FloatArray
from bayesdx.knowledge import Knowledge, read_knowledge
from bayesdx.knowledge.moving import calibrated
from bayesdx.knowledge.red_flag_schema import LEVELS, Level
from bayesdx.knowledge.text_schema import Text

UNEXPLAINED = "unexplained"
#: Before the id of a cause, in the column of red flags: its expected loss calls for action.
EXPECTED_LOSS = "expected_loss:"
#: Rows read and scored together; bounds the memory of `Engine.score`.
ROWS_AT_ONCE = 1 << 16


def load(folder: str | Path | None = None) -> Engine:
    """Read a knowledge folder, build its network, and return an engine for it.

    Parameters
    ----------
    folder : path, optional
        A folder laid out as ``priors/``; the packaged knowledge when not given.

    Raises
    ------
    InvalidKnowledge
        With every fault of the folder.
    """
    return Engine(read_knowledge(Path(folder) if folder is not None else None))


class Engine:
    """Answers questions about cases, exactly; immutable and safe to share between threads.

    Attributes
    ----------
    knowledge : Knowledge
        With calibrated numbers in the place of elicited ones.
    assembly : Assembly
        The network, its compiled form, and how well it gives back what is stated.
    causes, findings, risks : DataFrame
        Indexed by id. Changing them changes nothing in the engine.
    """

    def __init__(self, knowledge: Knowledge) -> None:
        elicited, knowledge = knowledge, calibrated(knowledge)
        self.knowledge = knowledge
        self.assembly: Assembly = assemble(knowledge)
        self._reader = CaseReader(knowledge, self.assembly.model)
        self.causes = causes_frame(knowledge, elicited)
        self.findings = findings_frame(knowledge, self.assembly.fits)
        self.risks = risks_frame(knowledge)
        self._order = list(self.causes.index)
        self._states = {name: risk.states for name, risk in knowledge.risks.items()}
        self._states |= {name: finding.states for name, finding in knowledge.findings.items()}
        model = self.assembly.model
        at = {name: i for i, name in enumerate(model.causes)}
        self._modelled = np.array([at[name] for name in self._order if name in at], dtype=np.intp)
        self._columns = np.array([i for i, n in enumerate(self._order) if n in at], dtype=np.intp)
        self._clamps = self._clamp_table()
        self._triage = build_triage(knowledge.triage, knowledge.causes)
        self._weighed = np.array([at[name] for name in self._triage.causes], dtype=np.intp)
        self._variants = Variants(model)
        self._prior_groups = self._answer(no_evidence(model, 1))[1]
        self._prior = np.append(self.causes["prior"].to_numpy(), self._prior_groups[-1])
        self._blank_table = self._causes_by_row()
        self._blank_groups = self._groups_by_row()

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
        _check_mapping(findings)
        columns = {name: [value] for name, value in findings.items()}
        cases = self._reader.read(columns, 1, None)
        answer, groups = self._answer(cases.evidence)
        status: Status = OK if bool(cases.known[0]) else NO_FINDINGS
        if not answer.possible[0]:
            status, groups = IMPOSSIBLE, self._prior_groups
        table = self._table(answer.causes[0], groups[-1], status)
        facts = self._facts(cases)
        results = evaluate(self.knowledge.red_flags, facts)
        triage: tuple[TriageHit, ...] = ()
        if status == OK:
            triage = triage_case(self._triage, answer.causes[0, self._weighed])
        return Diagnosis(
            table=table,
            groups=self._group_table(groups),
            red_flags=_hits(results),
            triage=triage,
            urgency=_most_pressing([urgency(results), *(hit.level for hit in triage)]),
            pitfalls=self._texts(self.knowledge.pitfalls, facts, status, table, groups),
            management=self._texts(self.knowledge.management, facts, status, table, groups),
            log_evidence=float(answer.log_evidence[0]),
            status=status,
            clashes=smallest_clash(self.assembly.model, cases.evidence)
            if status == IMPOSSIBLE
            else (),
            understood=self._understood(cases),
        )

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
            Where the status is ``impossible`` the posterior is not defined and the priors
            stand in its place.

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
                read = self._reader.read(columns, len(part), labels)
            except InvalidCase as error:
                faults += [fault for fault in error.faults if fault not in faults]
                continue
            if not faults:
                parts.append(self._score_cases(read))
        if faults:
            raise InvalidCase(faults)
        result = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
        return result.set_axis(cases.index, axis=0)

    def _score_cases(self, cases: Cases) -> pd.DataFrame:
        model = self.assembly.model
        answer = posteriors(model, cases.evidence, without=self._clamps[-1])
        possible = answer.possible
        values = np.zeros((len(cases.evidence), len(self._order) + 1))
        values[:, self._columns] = answer.causes[:, self._modelled]
        gap = np.zeros(len(values))
        np.subtract(answer.log_without, answer.log_evidence, out=gap, where=possible)
        values[:, -1] = np.clip(np.exp(gap), 0.0, 1.0)
        values[~possible] = self._prior
        frame = pd.DataFrame(values, columns=[*self._order, UNEXPLAINED], copy=False)
        status = np.where(possible, np.where(cases.known, OK, NO_FINDINGS), IMPOSSIBLE)
        rules = self.knowledge.red_flags
        outcomes = evaluate_many(rules, cases.facts, states=self._states, cases=len(cases.evidence))
        calls = triage_many(self._triage, answer.causes[:, self._weighed])
        calls &= (possible & cases.known)[:, None]
        level = np.minimum(urgency_many(rules, outcomes), level_many(self._triage, calls))
        levels = np.array(LEVELS, dtype=object)[level]
        names = [rule.id for rule in rules] + [EXPECTED_LOSS + one for one in self._triage.causes]
        tail = {
            "log_evidence": answer.log_evidence,
            "status": status.astype(object),
            "urgency": levels,
            "red_flags": _joined(np.hstack([outcomes == FIRED, calls]), names),
        }
        return pd.concat([frame, pd.DataFrame(tail)], axis=1)

    def _causes_by_row(self) -> pd.DataFrame:
        """The table of a diagnosis before there is one; cases only fill in and sort it."""
        table = self.causes[["label", "prior", "urgency", "basis"]].copy()
        table.loc[UNEXPLAINED] = ["No modelled cause", self._prior_groups[-1], "", ""]
        table.insert(2, "posterior", table["prior"])
        table.insert(3, "ratio", 1.0)
        return table

    def _groups_by_row(self) -> pd.DataFrame:
        groups = self.knowledge.groups.values()
        return pd.DataFrame(
            {
                "label": [group.label for group in groups],
                "kind": [group.kind for group in groups],
                "prior": self._prior_groups[:-1],
                "posterior": self._prior_groups[:-1],
            },
            index=pd.Index([group.id for group in groups], name="group"),
        )

    def _clamp_table(self) -> NDArray[np.bool_]:
        """Causes to clamp absent, one row a group and a last one for all causes."""
        model = self.assembly.model
        groups = [model.groups[f"group:{name}"] for name in self.knowledge.groups]
        clamped = np.zeros((len(groups) + 1, len(model.causes)), dtype=bool)
        for row, members in enumerate(groups):
            clamped[row, list(members)] = True
        clamped[-1, self._modelled] = True
        return clamped

    def _answer(self, evidence: Evidence) -> tuple[Answer, FloatArray]:
        """Answer one case; with P(a member is present) of every group and P(no cause is), (G + 1,).

        The groups of impossible evidence are not defined and come back as zeros.
        """
        answer, absent = self._variants.answer(evidence, self._clamps)
        if not answer.possible[0]:
            return answer, np.zeros(len(absent))
        gap = absent - answer.log_evidence[0]
        groups = np.clip(-np.expm1(gap), 0.0, 1.0)
        groups[-1] = min(math.exp(gap[-1]), 1.0)
        return answer, groups

    def _table(self, causes: FloatArray, unexplained: float, status: Status) -> pd.DataFrame:
        prior = self._prior
        posterior = np.zeros(len(prior))
        posterior[self._columns] = causes[self._modelled]
        posterior[-1] = unexplained
        if status == IMPOSSIBLE:
            posterior = prior
        order = np.append(np.argsort(-posterior[:-1], kind="stable"), len(prior) - 1)
        table = self._blank_table.take(order)
        table["posterior"] = posterior[order]
        table["ratio"] = _odds_ratio(prior[order], posterior[order])
        return table

    def _group_table(self, posterior: FloatArray) -> pd.DataFrame:
        order = np.argsort(-posterior[:-1], kind="stable")
        table = self._blank_groups.take(order)
        table["posterior"] = posterior[order]
        return table

    def _texts(
        self,
        texts: tuple[Text, ...],
        facts: dict[str, str | None],
        status: Status,
        table: pd.DataFrame,
        groups: FloatArray,
    ) -> tuple[TextHit, ...]:
        """Choose texts; where posteriors are not defined, by findings alone."""
        settings = self.knowledge.text_settings
        if settings is None:
            return ()
        if status != OK:
            return evaluate_texts(texts, settings, facts)
        causes = dict(zip(table.index, table["posterior"].tolist(), strict=True))
        drivers = dict(zip(self.knowledge.groups, groups.tolist(), strict=False))
        return evaluate_texts(texts, settings, facts, causes, drivers, str(table.index[0]))

    def _facts(self, cases: Cases) -> dict[str, str | None]:
        names = self._states
        return {
            name: names[name][int(state[0])] if state[0] >= 0 else None
            for name, state in cases.facts.items()
        }

    def _understood(self, cases: Cases) -> dict[str, str]:
        names = self._states
        shown: dict[str, str] = {}
        for name, values in cases.given:
            value = float(values[0])
            if math.isnan(value):
                continue
            measure = self.knowledge.measures.get(name)
            if measure is not None and name not in names:
                shown[name] = f"{value:g} {measure.unit}"
                for setting in measure.sets:
                    state = int(cases.facts[setting.target][0])
                    shown[setting.target] = names[setting.target][state]
            else:
                shown[name] = names[name][int(value)] if value == int(value) else f"{value:g}"
        return shown


def _check_mapping(findings: object) -> None:
    if not isinstance(findings, Mapping):
        raise InvalidCase(Fault("findings", "a mapping of names to values", findings))
    bad = [name for name in findings if not isinstance(name, str)]
    faults = [Fault("findings", "names that are text", name) for name in bad]
    if faults:
        raise InvalidCase(faults)


def _hits(results: tuple[RuleResult, ...]) -> tuple[RedFlagHit, ...]:
    """Rules that fired, then rules that are open, the most pressing first."""
    hits = [
        RedFlagHit(
            id=result.rule.id,
            level=result.rule.level,
            title=result.rule.title,
            advice=result.rule.advice,
            outcome=result.outcome,
            because=result.because,
            not_asked=result.not_asked,
            statements=tuple(result.rule.statements),
        )
        for result in results
        if result.outcome != "not_met"
    ]
    return tuple(sorted(hits, key=lambda hit: (hit.outcome != "fired", LEVELS.index(hit.level))))


def _most_pressing(levels: Iterable[Level]) -> Level:
    return min(levels, key=LEVELS.index)


def _odds_ratio(prior: FloatArray, posterior: FloatArray) -> FloatArray:
    """Posterior odds over prior odds; 1 where both are 0 or both are 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = posterior / (1.0 - posterior) / (prior / (1.0 - prior))
    return np.where(np.isnan(ratio), 1.0, ratio)


def _joined(fired: NDArray[np.bool_], names: list[str]) -> list[str]:
    """Names of what fired in each row; rows that fire alike share one text."""
    packed = np.packbits(fired, axis=1)
    distinct, inverse = np.unique(packed, axis=0, return_inverse=True)
    rows = np.unpackbits(distinct, axis=1, count=len(names)).astype(bool)
    texts = [";".join(name for name, hit in zip(names, row, strict=True) if hit) for row in rows]
    return [texts[i] for i in inverse.ravel()]
