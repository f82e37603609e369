"""The numbers of cases that need a frontier, by position of their axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdx.inference.arrays import FloatArray, IntArray, MaskArray
from bayesdx.inference.noisy.condition import Problem
from bayesdx.inference.noisy.lockstep.frontier import JointStates
from bayesdx.inference.noisy.lockstep.plan import TwoCore, width_words
from bayesdx.inference.noisy.lockstep.workspace import BatchWorkspace
from bayesdx.inference.noisy.model import NoisyModel

_ONE = np.uint64(1)


@dataclass(frozen=True, eq=False)
class CoreCases:
    """n cases with a core.

    Attributes
    ----------
    model : NoisyModel
    core : TwoCore
    axis : int array (n, K)
        Axis at each position, -1 where there is none.
    vectors : array (n, K, S)
        Components of each axis with what was folded into it.
    present : array (n, K)
        Share of a newly explained finding that survives.
    active, inactive : arrays (n, P + 1)
        Weights of each cause by joint states of its risks; 0 and 1 for a step without a cause.
    strides : int array (n, E + 1)
        See `tables.BatchWorkspace`.
    classes : list of (int, uint64 array (n,))
        Positions of each width.
    states : JointStates
        Of the batch.
    """

    model: NoisyModel
    core: TwoCore
    axis: IntArray
    vectors: FloatArray
    present: FloatArray
    active: FloatArray
    inactive: FloatArray
    strides: IntArray
    classes: list[tuple[int, MaskArray]]
    states: JointStates

    def take(self, at: IntArray) -> CoreCases:
        """Return some cases, in the same order."""
        return CoreCases(
            model=self.model,
            core=self.core.take(at),
            axis=self.axis[at],
            vectors=self.vectors[at],
            present=self.present[at],
            active=self.active[at],
            inactive=self.inactive[at],
            strides=self.strides[at],
            classes=[(width, words[at]) for width, words in self.classes],
            states=self.states,
        )

    def table_strides(self, cases: IntArray, positions: IntArray, causes: IntArray) -> IntArray:
        """Stride of an axis in the table of a cause, 0 if it does not depend on it."""
        number = self.model.edges.number[self.axis[cases, positions], causes]
        return self.strides[cases, number]


def collect(
    model: NoisyModel,
    problem: Problem,
    workspace: BatchWorkspace,
    core: TwoCore,
    states: JointStates,
) -> CoreCases:
    """Collect the numbers of the cases of ``core``."""
    rows, own = core.rows, core.rows[:, None]
    n_entries = problem.prior.shape[1]
    owner = np.repeat(np.arange(workspace.on.shape[1]), np.diff(model.prior_offset))
    active = np.zeros((len(rows), n_entries + 1))
    inactive = np.ones((len(rows), n_entries + 1))
    np.multiply(workspace.on[rows].take(owner, axis=1), workspace.present[rows], out=active[:, :-1])
    np.multiply(
        workspace.off[rows].take(owner, axis=1), workspace.absent[rows], out=inactive[:, :-1]
    )
    vectors = workspace.vectors[own, core.slots]
    # Where causes that lower the leak are gone, the part owed to it is one with the rest.
    places = np.arange(core.widths.shape[1], dtype=np.uint64)
    plain = (core.widths == 2) & ((core.evidence[:, None] >> places & _ONE) != 0)
    vectors[..., 1] += np.where(plain, vectors[..., 2], 0.0)
    return CoreCases(
        model=model,
        core=core,
        axis=np.where(core.widths > 1, problem.axis[own, core.slots], -1),
        vectors=vectors,
        present=problem.present[own, core.slots],
        active=active,
        inactive=inactive,
        strides=workspace.strides[rows],
        classes=width_words(core.widths),
        states=states,
    )
