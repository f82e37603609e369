"""Which present findings the causes of one case produced, from the way back through its lanes.

The quantities are those of `bayesdx.inference.noisy.lockstep.production`; here each link is at hand
by its row, and only the first lane, the case as it is, is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bayesdx.inference.noisy.operator import AxisEffect, act_transposed

if TYPE_CHECKING:
    from bayesdx.inference.arrays import FloatArray
    from bayesdx.inference.noisy.lane_program import Touch


class LaneProduction:
    """Workspace of one case.

    Attributes
    ----------
    weight : list of float
        Weight of the symptom that each link acts on, -1 where that is none.
    idle, credit : arrays (C,)
        P(cause present, it produced no symptom | evidence); weights of symptoms times how far the
        cause is credited with them.
    """

    def __init__(self, weight: list[float], n_causes: int) -> None:
        self.weight, self.idle, self.credit = weight, np.zeros(n_causes), np.zeros(n_causes)

    def note(
        self,
        cause: int,
        touches: Sequence[Touch],
        effects: Sequence[AxisEffect],
        back: tuple[FloatArray, FloatArray, FloatArray],
        posterior: float,
    ) -> None:
        """Split the posterior of a cause.

        Parameters
        ----------
        cause : int
        touches : sequence of Touch
            The axes that it acts on.
        effects : sequence of AxisEffect
            Of all links, so that something is left of everything.
        back : arrays (size, 1)
            The frontier before the cause; the adjoint behind it times the cause's weight, which is
            written on; the same pulled back through all that it acts on.
        posterior : float
        """
        before, idle, pulled = back
        factor = 1.0
        for row, stride, width in touches:
            effect = AxisEffect(*(np.asarray(one)[..., :1] for one in effects[row][:5]))
            keep, gain = float(np.asarray(effect.keep)[0]), float(np.asarray(effect.gain)[0])
            if self.weight[row] < 0.0 or gain <= 0.0:
                act_transposed(idle.reshape(-1, width, stride, 1), 1, effect)
                continue
            factor *= keep
            x, behind = (one.reshape(-1, width, stride) for one in (before, pulled))
            strength = 1.0 - keep
            reached = (gain * x[:, 0] - strength * x[:, 1]) * behind[:, 1]
            if width > 2:
                reached -= strength * x[:, 2] * behind[:, 2]
            alone = float(reached.sum()) / keep
            half = 0.5 * (strength * posterior + (1.0 + keep) * alone)
            self.credit[cause] += self.weight[row] * half
        self.idle[cause] = factor * float((idle * before).sum())
