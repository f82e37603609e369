"""One case under several assumptions about its causes, from one plan.

The posterior of a group needs the evidence with all its members absent, the unexplained share
with every cause absent; the next question needs what every further answer would change. Such
variants of a case share everything but the weights of some causes, so one plan serves them all.
Plans depend on which findings are present and which risks unknown; the last ones used are kept.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bayesdx.inference.evidence import Evidence, StateArray, clamped_absent
from bayesdx.inference.noisy.condition import Problem, absorb, count_axes, priors_given
from bayesdx.inference.noisy.model import FloatArray, NoisyModel
from bayesdx.inference.noisy.ordering import schedule
from bayesdx.inference.noisy.query import Answer, posteriors
from bayesdx.inference.noisy.single import columns
from bayesdx.inference.noisy.single.clamping import ClampPlan, compile_clamps, run_clamps
from bayesdx.inference.noisy.single.column_plan import ColumnPlan, compile_columns
from bayesdx.inference.noisy.single.recent import Recent


class Variants:
    """Answers one case under several clamps of its causes; keeps recent plans."""

    def __init__(self, model: NoisyModel) -> None:
        self._model = model
        self._plans: Recent[tuple[bytes, ...], ClampPlan | None] = Recent()
        self._priors: Recent[bytes, FloatArray] = Recent()
        self._columns: Recent[tuple[bytes, ...], ColumnPlan] = Recent()
        self._row_priors: Recent[tuple[bytes, ...], FloatArray] = Recent()

    @property
    def model(self) -> NoisyModel:
        """What is asked."""
        return self._model

    def answer(self, evidence: Evidence, absent: NDArray[np.bool_]) -> tuple[Answer, FloatArray]:
        """Answer one case as it is, and its evidence with sets of causes absent.

        Parameters
        ----------
        evidence : Evidence
            One case, no cause clamped.
        absent : bool array (V, C)
            Causes assumed absent in each variant.

        Returns
        -------
        answer : Answer
            Of the case as it is.
        log_evidence : array (V,)
            log P(evidence, causes absent) of each variant.
        """
        problem = self._problem(evidence)
        plan = self._plan(problem)
        if plan is None:
            return self._by_sweep(evidence, absent)
        return run_clamps(problem, plan, absent)

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
        products. All rows then share one plan.

        Parameters
        ----------
        evidence : Evidence
            One case, no cause clamped.
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

        None is returned in place of both where the findings couple too much for one plan.
        """
        problem = self._problem(evidence)
        key = (problem.axis.tobytes(), problem.present.tobytes(), problem.mask.tobytes())
        plan = self._columns.get(
            key,
            lambda: compile_columns(self._model, problem, schedule(self._model, problem)),
        )
        if plan.length > columns.MAX_COMPONENTS:
            return None
        model, width = self._model, np.diff(self._model.prior_offset)
        owner = np.repeat(np.arange(len(width)), width)
        prior, log_held = problem.prior.T, np.zeros(len(on))
        starts: dict[int, FloatArray] = {}
        if risks is not None and (risks >= 0).any():
            known = (evidence.risks.tobytes(), risks.tobytes())
            prior = self._row_priors.get(known, lambda: _priors_held(model, evidence, risks)).T
            log_held, starts = _held(model, problem, risks)
        inactive = (1.0 - prior) * problem.off[0][owner, None]
        if off is not None:
            inactive = inactive * off.T[owner]
        active = prior * (problem.on[0][:, None] * on.T)[owner]
        inactive = np.broadcast_to(inactive, active.shape)
        log_evidence, posterior = columns.run_columns(
            problem, plan, columns.Weights(active, inactive, starts)
        )
        posterior[np.isneginf(log_held)] = 0.0
        return log_evidence + log_held, posterior

    def _problem(self, evidence: Evidence) -> Problem:
        count_axes(self._model, evidence)
        prior = self._priors.get(
            evidence.risks.tobytes(), lambda: priors_given(self._model, evidence)
        )
        return absorb(self._model, evidence, prior)

    def _plan(self, problem: Problem) -> ClampPlan | None:
        key = (problem.axis.tobytes(), problem.present.tobytes(), problem.mask.tobytes())
        return self._plans.get(
            key, lambda: compile_clamps(self._model, problem, schedule(self._model, problem))
        )

    def _by_sweep(self, evidence: Evidence, absent: NDArray[np.bool_]) -> tuple[Answer, FloatArray]:
        alone = posteriors(self._model, clamped_absent(evidence, absent), only_evidence=True)
        return posteriors(self._model, evidence), alone.log_evidence


def _priors_held(model: NoisyModel, evidence: Evidence, held: StateArray) -> FloatArray:
    """Return the entries of `Problem.prior` in every row, (V, P); shared risks stay axes."""
    private = model.axes.risk < 0
    copies = evidence.take(np.zeros(len(held), dtype=np.intp))
    risks = np.where((held >= 0) & private, held, copies.risks).astype(np.int8)
    return priors_given(model, replace(copies, risks=risks))


def _held(
    model: NoisyModel, problem: Problem, held: StateArray
) -> tuple[FloatArray, dict[int, FloatArray]]:
    """Log P of the private risks that rows hold (V,), and the starts of the axes of shared ones."""
    log_held, starts = np.zeros(len(held)), {}
    for r in np.flatnonzero((held >= 0).any(axis=0)):
        rows, axis = np.flatnonzero(held[:, r] >= 0), model.axes.risk[r]
        if axis < 0:
            with np.errstate(divide="ignore"):
                log_held[rows] += np.log(model.risk_priors[r])[held[rows, r]]
            continue
        slot = int(np.flatnonzero(problem.axis[0] == axis)[0])
        size = len(model.risk_priors[r])
        start = np.repeat(problem.start[0, slot, :size, None], len(held), axis=1)
        start[:, rows] *= np.arange(size)[:, None] == held[rows, r]
        starts[slot] = start
    return log_held, starts
