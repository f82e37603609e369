"""What every question about a case is answered from: knowledge, its network, and a reader of cases.

An `Engine` is what people hold; it keeps a `Core`, and each kind of question (diagnosis, scores,
explanation, next question, intervals ...) is a function of a core and of cases in a module of its
own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from bayesdx.building.assembly import Assembly, assemble
from bayesdx.checked_names import is_one_of
from bayesdx.diagnosis.cases import CaseReader, Cases
from bayesdx.diagnosis.danger import DangerScores, danger_scores
from bayesdx.diagnosis.red_flags import Rules, compile_rules
from bayesdx.diagnosis.shown_texts import Texts, compile_texts
from bayesdx.diagnosis.triage import TriageTable, build_triage
from bayesdx.diagnosis.urgency import Urgency, urgency_of
from bayesdx.errors import BayesdxError, Fault, InvalidCase
from bayesdx.frozen import ReadOnly
from bayesdx.inference.arrays import frozen
from bayesdx.inference.evidence import Evidence, no_evidence
from bayesdx.inference.machine_code import Backend
from bayesdx.inference.noisy.answer import Answer
from bayesdx.inference.noisy.case_lanes import FEW, CaseLanes
from bayesdx.inference.noisy.choice import takes_compiled
from bayesdx.inference.noisy.model import BoolArray, FloatArray, IntArray, NoisyModel
from bayesdx.inference.noisy.query import posteriors
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.learned_numbers import in_use

if TYPE_CHECKING:
    from bayesdx.building.perturbations import Perturbations

T = TypeVar("T")


class Kept:
    """What was worked out once for a core, by the function that makes it; cleared together.

    As many values as there are such functions, never more.
    """

    def __init__(self) -> None:
        self._found: dict[Callable[..., Any], Any] = {}
        self._lock = RLock()

    def __reduce__(self) -> tuple[type[Kept], tuple[()]]:
        # A copy begins anew.
        return Kept, ()

    def get(self, make: Callable[[Core], T], core: Core) -> T:
        """Return what a function makes of a core; made when it is not there."""
        if make not in self._found:
            with self._lock:
                if make not in self._found:
                    self._found[make] = make(core)
        found: T = self._found[make]
        return found

    def clear(self) -> None:
        """Forget everything; it is made again when it is asked for."""
        with self._lock:
            self._found = {}


@dataclass(frozen=True, eq=False)
class Core(ReadOnly):
    """One knowledge folder, assembled and ready to be asked; immutable.

    The letter K stands for the causes as people see them, in the order of the folder, excluded ones
    among them; C for the causes of the model; G for the groups.

    Attributes
    ----------
    knowledge : Knowledge
        With calibrated, then learned numbers in the place of elicited ones.
    elicited : Knowledge
        As written in the folder.
    assembly : Assembly
        The network, its compiled form, and how well it gives back what is stated.
    reader : CaseReader
    causes : tuple of str (K,)
    modelled, columns : int arrays (C,)
        Position in the model of each modelled cause, and its position among `causes`.
    states : mapping of str to tuple of str
        The states of each finding and risk.
    rules : Rules
    pitfalls, management : Texts, optional
        Rules and texts with their conditions compiled; no texts where there are no settings.
    triage : TriageTable
    danger : DangerScores
        Of the causes of `triage`.
    clamps : bool array (G + 1, C)
        Causes to clamp absent: the members of each group, and last all of them.
    lanes : CaseLanes
    backend : str
        Who does the arithmetic, see `bayesdx.inference.posteriors`.
    prior : array (K + 1,)
        The prior of each cause, and last that no modelled cause is present.
    prior_groups : array (G + 1,)
        P(at least one member is present) of each group, and last that no modelled cause is.
    kept : Kept
        What questions work out once.
    """

    knowledge: Knowledge
    elicited: Knowledge
    assembly: Assembly
    reader: CaseReader
    causes: tuple[str, ...]
    modelled: IntArray
    columns: IntArray
    states: Mapping[str, tuple[str, ...]]
    rules: Rules
    pitfalls: Texts | None
    management: Texts | None
    triage: TriageTable
    danger: DangerScores
    clamps: BoolArray
    lanes: CaseLanes
    backend: Backend
    prior: FloatArray
    prior_groups: FloatArray
    kept: Kept = field(default_factory=Kept, repr=False)

    def once(self, make: Callable[[Core], T]) -> T:
        """Return what a function makes of this core, worked out once."""
        return self.kept.get(make, self)

    @property
    def perturbations(self) -> Perturbations:
        """The same network with numbers drawn or moved; made when it is first asked for."""
        return self.once(_perturbations)

    @property
    def model(self) -> NoisyModel:
        """The compiled network."""
        return self.assembly.model

    def read_case(self, findings: Mapping[str, object] | Cases) -> Cases:
        """Read one case; one that was read already is returned as it is.

        Raises
        ------
        InvalidCase
            With every unknown name, unreadable value and contradiction.
        """
        if isinstance(findings, Cases):
            return findings
        check_mapping(findings)
        return self.reader.read({name: [value] for name, value in findings.items()}, 1, None)

    def posteriors(
        self,
        evidence: Evidence,
        *,
        only_evidence: bool = False,
        without: BoolArray | None = None,
        symptoms: FloatArray | None = None,
        asked: BoolArray | None = None,
        workers: int | None = None,
        divide: bool = True,
    ) -> Answer:
        """Answer N cases with the backend of this core; see `bayesdx.inference.posteriors`."""
        if symptoms is not None and len(evidence) == 1 and without is None:
            return self.lanes.credited(evidence, symptoms)
        few = 0 < len(evidence) <= FEW and not only_evidence and symptoms is None and divide
        if few and not takes_compiled(self.backend, self.model, evidence):
            return self.lanes.each(evidence, without)
        return posteriors(
            self.model,
            evidence,
            only_evidence=only_evidence,
            without=without,
            symptoms=symptoms,
            asked=asked,
            backend=self.backend,
            workers=workers,
            divide=divide,
        )

    def with_groups(
        self, evidence: Evidence, symptoms: Callable[[], FloatArray] | None = None
    ) -> tuple[Answer, FloatArray]:
        """Answer one case, with its groups.

        Returns
        -------
        answer : Answer
            With symptoms weighed where that is no further pass.
        groups : array (G + 1,)
            As `prior_groups`, given the evidence; zeros where the evidence is impossible.
        """
        return _with_groups(self.lanes, self.clamps, evidence, symptoms)

    def urgency(self, facts: Mapping[str, NDArray[np.integer]], n_cases: int) -> Urgency:
        """Judge N cases by rules and triage.

        Parameters
        ----------
        facts : mapping of str to int array (N,)
            As `Cases.facts`.
        n_cases : int
        """
        return urgency_of(self.rules, self.triage, self.danger, facts, n_cases)

    def facts(self, cases: Cases, row: int = 0) -> dict[str, str | None]:
        """Return the state of every finding and risk that one case speaks of, None unknown."""
        return {
            name: self.states[name][int(state[row])] if state[row] >= 0 else None
            for name, state in cases.facts.items()
        }

    def understood(self, cases: Cases, row: int = 0) -> dict[str, str]:
        """Return what was read of one case, aliases resolved, with what measures stand for."""
        names = self.states
        shown: dict[str, str] = {}
        for name, values in cases.given:
            value = float(values[row])
            if math.isnan(value):
                continue
            measure = self.knowledge.measures.get(name)
            if measure is not None and name not in names:
                shown[name] = f"{value:g} {measure.unit}"
                for setting in measure.sets:
                    state = int(cases.facts[setting.target][row])
                    shown[setting.target] = names[setting.target][state]
            else:
                shown[name] = names[name][int(value)] if value == int(value) else f"{value:g}"
        return shown


def build_core(elicited: Knowledge, backend: Backend = "auto") -> Core:
    """Assemble knowledge; calibrated and learned numbers of the folder replace elicited ones.

    Parameters
    ----------
    elicited : Knowledge
        As read.
    backend : {"auto", "numpy", "compiled"}

    Raises
    ------
    InvalidKnowledge
        When the numbers contradict each other.
    BayesdxError
        When the backend is not there.
    """
    if not is_one_of(backend, get_args(Backend)):
        raise BayesdxError(Fault("backend", "auto, numpy or compiled", backend))
    knowledge = in_use(elicited)
    assembly = assemble(knowledge)
    model = assembly.model
    at = {name: i for i, name in enumerate(model.causes)}
    causes = tuple(name for name, cause in knowledge.causes.items() if cause.kind != "leak")
    modelled = np.array([at[name] for name in causes if name in at], dtype=np.intp)
    states = {name: risk.states for name, risk in knowledge.risks.items()}
    states |= {name: finding.states for name, finding in knowledge.findings.items()}
    triage = build_triage(knowledge.triage, knowledge.causes)
    lanes, clamps = CaseLanes(model, backend), _clamps(knowledge, model, modelled)
    _, groups = _with_groups(lanes, clamps, no_evidence(model, 1))
    return Core(
        knowledge=knowledge,
        elicited=elicited,
        assembly=assembly,
        reader=CaseReader(knowledge, model),
        causes=causes,
        modelled=frozen(modelled),
        columns=frozen(np.array([i for i, n in enumerate(causes) if n in at], dtype=np.intp)),
        states=states,
        rules=compile_rules(knowledge.red_flags, states),
        pitfalls=compile_texts(knowledge.pitfalls, knowledge.text_settings, states),
        management=compile_texts(knowledge.management, knowledge.text_settings, states),
        triage=triage,
        danger=danger_scores(knowledge, model, triage.causes),
        clamps=frozen(clamps),
        lanes=lanes,
        backend=backend,
        prior=frozen(np.array([*(_prior(knowledge, name) for name in causes), groups[-1]])),
        prior_groups=frozen(groups),
    )


def required_mapping(place: str, expected: str, given: object) -> Mapping[Any, Any]:
    """Return what is a mapping, and refuse anything else."""
    if not isinstance(given, Mapping):
        raise InvalidCase(Fault(place, expected, given))
    return given


def check_mapping(findings: object) -> None:
    """Refuse what is not a mapping of names to values."""
    names = required_mapping("findings", "a mapping of names to values", findings)
    bad = [name for name in names if not isinstance(name, str)]
    if bad:
        raise InvalidCase([Fault("findings", "names that are text", name) for name in bad])


def _prior(knowledge: Knowledge, cause: str) -> float:
    prior = knowledge.causes[cause].prior
    return prior.value if prior is not None else 0.0


def _clamps(knowledge: Knowledge, model: NoisyModel, modelled: IntArray) -> NDArray[np.bool_]:
    groups = [model.groups[f"group:{name}"] for name in knowledge.groups]
    clamped = np.zeros((len(groups) + 1, len(model.causes)), dtype=bool)
    for row, members in enumerate(groups):
        clamped[row, list(members)] = True
    clamped[-1, modelled] = True
    return clamped


def _with_groups(
    lanes: CaseLanes,
    clamps: BoolArray,
    evidence: Evidence,
    symptoms: Callable[[], FloatArray] | None = None,
) -> tuple[Answer, FloatArray]:
    answer, absent = lanes.answer(evidence, clamps, symptoms)
    if not answer.possible[0]:
        return answer, np.zeros(len(absent))
    gap = absent - answer.log_evidence[0]
    groups = np.clip(-np.expm1(gap), 0.0, 1.0)
    groups[-1] = min(math.exp(gap[-1]), 1.0)
    return answer, groups


def _perturbations(core: Core) -> Perturbations:
    from bayesdx.building.perturbations import Perturbations

    return Perturbations(core.knowledge, core.assembly, core.backend)
