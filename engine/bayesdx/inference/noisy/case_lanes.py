"""One case under several assumptions about its causes and risks, a lane an assumption.

The posterior of a group needs the evidence with all its members absent, the unexplained share
with every cause absent; the next question needs what every further answer would change. Such
lanes share everything but the weights of some causes, so one program serves them all.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bayesdx.errors import TooComplex
from bayesdx.inference.evidence import Evidence, StateArray, clamped_absent
from bayesdx.inference.machine_code import Backend
from bayesdx.inference.noisy.answer import TOO_COMPLEX, Answer, refused_case
from bayesdx.inference.noisy.choice import takes_compiled
from bayesdx.inference.noisy.lane_case import LaneCase, condition_lanes
from bayesdx.inference.noisy.lane_production import LaneProduction
from bayesdx.inference.noisy.lane_program import LanePrograms
from bayesdx.inference.noisy.lane_weights import Assumptions
from bayesdx.inference.noisy.lanes import run_lanes
from bayesdx.inference.noisy.model import BoolArray, FloatArray, NoisyModel
from bayesdx.inference.noisy.parameters import repeat_parameters
from bayesdx.inference.noisy.query import posteriors

#: So many cases are answered sooner one by one in lanes than together by the NumPy sweep.
FEW = 8
#: Frontiers above this many components are left to the sweep.
MAX_COMPONENTS = 1 << 14


class CaseLanes:
    """Answers one case under assumptions.

    Attributes
    ----------
    model : NoisyModel
    backend : {"auto", "numpy", "compiled"}
        "compiled" answers each assumption as a case of its own, by the compiled sweep.
    programs : LanePrograms
        Those used last.
    """

    def __init__(self, model: NoisyModel, backend: Backend = "auto") -> None:
        self.model, self.backend, self.programs = model, backend, LanePrograms()
        self._parameters = repeat_parameters(model, 1)

    def answer(
        self,
        evidence: Evidence,
        absent: BoolArray,
        symptoms: Callable[[], FloatArray] | None = None,
    ) -> tuple[Answer, FloatArray]:
        """Answer one case as it is, and its evidence with sets of causes absent.

        Parameters
        ----------
        evidence : Evidence
            One case.
        absent : bool array (V, C)
            Causes assumed absent in each lane.
        symptoms : function that returns array (U,), optional
            Weights of findings, asked for where to weigh them is no further pass; see `credited`.

        Returns
        -------
        answer : Answer
            Of the case as it is.
        log_evidence : array (V,)
            log P(evidence, causes absent) of each lane; ``-inf`` where there is no answer. If one
            of them is too complex, so is the case.
        """
        on = np.ones((1 + len(absent), len(self.model.causes)))
        on[1:][absent] = 0.0
        compiled = takes_compiled(self.backend, self.model, evidence)
        found = None if compiled else self._in_one_program(evidence, on, None, None)
        if found is None:
            # The sweep, compiled where it is at hand, or because it searches a better order.
            # NumPy refuses the same cases with weights and without.
            weights = symptoms() if compiled and symptoms is not None else None
            answer = posteriors(self.model, evidence, symptoms=weights, backend=self.backend)
            if not answer.possible[0]:
                return answer, np.full(len(absent), -np.inf)
            alone = clamped_absent(evidence, absent)
            rest = posteriors(
                self.model,
                alone,
                only_evidence=True,
                backend=self.backend,
                share_of=np.repeat(answer.log_evidence, len(alone)),
            )
            if rest.too_complex.any():
                return refused_case(len(self.model.causes)), np.full(len(absent), -np.inf)
            # A cause that the case clamps present cannot be absent as well.
            contradicted = (absent & (evidence.causes[0] == 1)).any(axis=1)
            return answer, np.where(contradicted, -np.inf, rest.log_evidence)
        log_evidence, posterior = found
        return Answer(log_evidence[:1], posterior[:1], np.empty(0)), log_evidence[1:]

    def credited(self, evidence: Evidence, symptoms: FloatArray) -> Answer:
        """Answer one case with what its causes produced; see `bayesdx.inference.posteriors`.

        ``symptoms`` are the weights of findings, as there.
        """
        if not takes_compiled(self.backend, self.model, evidence):
            case = condition_lanes(evidence, self._parameters.asked(self.model, evidence))
            weight = [self._weight(evidence, symptoms, one) for one in case.symptoms]
            by_link = [-1.0] * len(case.keep)
            for own in case.structure.links:
                for axis, row in own:
                    by_link[row] = weight[axis]
            made = LaneProduction(by_link, len(self.model.causes))
            found = self._run(case, 1, made)
            if found is not None:
                log_evidence, causes = found[0], found[1].T
                credit = np.where(np.isneginf(log_evidence)[:, None], 0.0, made.credit)
                responsible = np.clip(causes - made.idle, 0.0, causes)
                nothing = np.zeros(len(causes), dtype=bool)
                return Answer(log_evidence, causes, np.empty(0), nothing, responsible, credit)
        return posteriors(self.model, evidence, symptoms=symptoms, backend=self.backend)

    def _weight(self, evidence: Evidence, symptoms: FloatArray, symptom: int) -> float:
        """Weight of a symptom by its name in `LaneCase`."""
        if symptom >= -1:
            return float(symptoms[symptom]) if symptom >= 0 else -1.0
        o = -2 - symptom
        axis = self.model.axes.exceed[o, evidence.lower[0, o], evidence.upper[0, o]]
        return float(symptoms[axis])

    def _run(
        self, case: LaneCase, n_lanes: int, made: LaneProduction | None = None
    ) -> tuple[FloatArray, FloatArray] | None:
        try:
            program = self.programs.get(case.structure, n_lanes)
        except TooComplex:
            return None
        return None if program.widest > MAX_COMPONENTS else run_lanes(case, program, made)

    def each(self, evidence: Evidence, without: BoolArray | None = None) -> Answer:
        """Answer cases one after the other; see `bayesdx.inference.posteriors`."""
        absent = np.zeros((0, len(self.model.causes)), dtype=bool)
        if without is not None:
            absent = without[None]
        rows = [slice(row, row + 1) for row in range(len(evidence))]
        answers, spared = zip(
            *(self.answer(evidence.take(row), absent) for row in rows), strict=True
        )
        return Answer(
            np.concatenate([one.log_evidence for one in answers]),
            np.concatenate([one.causes for one in answers]),
            np.concatenate(spared),
            np.concatenate([one.status == TOO_COMPLEX for one in answers]),
        )

    def reweighted(
        self,
        evidence: Evidence,
        on: FloatArray,
        off: FloatArray | None = None,
        risks: StateArray | None = None,
    ) -> tuple[FloatArray, FloatArray] | None:
        """Answer one case under V sets of factors on its causes, forward and backward.

        An absent finding multiplies the weight of an active cause by the share that the cause
        leaves of "absent", and couples nothing; so does each term of what is a sum of such
        products. All rows then share one program.

        Parameters
        ----------
        evidence : Evidence
            One case.
        on, off : arrays (V, C)
            Factors, 0 or more, on the weight of each cause being present and absent; without
            ``off`` the latter stay.
        risks : int8 array (V, R), optional
            State at which a row holds a risk that the case does not know, -1 where it does not.

        Returns
        -------
        log_evidence : array (V,)
            Log of the sum over all worlds of P(world, evidence, risks) times its factors.
        posterior : array (V, C)
            Share of the worlds with the cause in that sum; 0 where the sum is.

        None is returned in place of both where the findings couple too much, or the backend is
        compiled.
        """
        if self.backend == "compiled":
            return None
        found = self._in_one_program(evidence, on, off, risks)
        if found is not None:
            return found
        from bayesdx.inference.noisy.lockstep.reweighted import reweighted_case

        if risks is None:
            risks = np.full((len(on), len(self.model.risks)), -1, dtype=np.int8)
        whole = np.ones_like(on) if off is None else off
        return reweighted_case(self.model, evidence, on, whole, risks)

    def _in_one_program(
        self, evidence: Evidence, on: FloatArray, off: FloatArray | None, risks: StateArray | None
    ) -> tuple[FloatArray, FloatArray] | None:
        inactive = np.ones((on.shape[1], 1)) if off is None else off.T
        assumed = Assumptions(on.T, inactive, None if risks is None else risks.T)
        case = condition_lanes(evidence, self._parameters.asked(self.model, evidence), assumed)
        found = self._run(case, len(on))
        return None if found is None else (found[0], found[1].T)
