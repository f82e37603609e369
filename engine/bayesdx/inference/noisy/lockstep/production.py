"""Which present findings the causes of N cases produced, worked out beside their posteriors.

With s the strength of a link on the axis of a *symptom* (a finding that is present for certain) and
k = 1 - s what it leaves, P(cause present, evidence) is split on the way back in two ways:

* *alone*: P(cause, nothing but its link makes the finding present) / P(evidence) is s times what
  the adjoint gives for "reached by no other", ``(x0 - x1) a1``, the components before the cause and
  the adjoint behind it. Taken from components that are at least as large, this difference is good
  to rounding in units of a probability, however small the evidence is.
* *idle*: P(cause present, none of its links to symptoms acted, evidence). The cause then leaves the
  axes of symptoms as an absent cause does, but for its inhibitors, times the product of k.
"""

from __future__ import annotations

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.noisy.operator import AxisEffect, Coefficient, component, dot


class Production:
    """Workspace of N cases.

    Attributes
    ----------
    weight : array (N, K)
        Weight of the symptom in each slot, -1 in slots without one.
    left : array (N, C)
        What findings contracted into the weight of a cause leave of it if it produced none of them.
    idle : array (N, C)
        P(cause present, it produced no symptom | evidence).
    explained : array (N, C)
        Weights of symptoms times how far the cause is credited with them, summed.
    """

    def __init__(self, weight: FloatArray, n_causes: int) -> None:
        self.weight = weight
        self.left = np.ones((len(weight), n_causes))
        self.idle = np.zeros((len(weight), n_causes))
        self.explained = np.zeros((len(weight), n_causes))

    def credit(
        self,
        at: tuple[IntArray, IntArray],
        weight: FloatArray,
        keep: FloatArray,
        posterior: FloatArray,
        spared: FloatArray,
    ) -> None:
        """Credit causes with symptoms: the mean of "it alone" and "it among others".

        Parameters
        ----------
        at : int arrays (M,), (M,)
            Cases and causes, no pair twice.
        weight, keep : arrays (M,)
            Of the symptom, -1 where there is none; what the link leaves.
        posterior, spared : arrays (M,)
            P(cause | evidence), P(cause, no other reaches the symptom) / P(evidence).
        """
        half = 0.5 * (1.0 - keep) * (posterior + (1.0 + keep) * spared)
        self.explained[at] += np.maximum(weight, 0.0) * half


def idle_effect(effect: AxisEffect, is_symptom: BoolArray | bool) -> tuple[AxisEffect, Coefficient]:
    """What a cause does whose links to symptoms do not act, and a factor for that."""
    idle = AxisEffect(
        gain=np.where(is_symptom, 0.0, effect.gain),
        keep=np.where(is_symptom, 1.0, effect.keep),
        leak_keep=np.where(is_symptom, 1.0 - effect.leak_gain, effect.leak_keep),
        leak_gain=effect.leak_gain,
        hold=np.where(is_symptom, 1.0, effect.hold),
    )
    return idle, np.where(is_symptom, effect.keep, 1.0)


def spared_by_others(
    before: FloatArray, pulled: FloatArray, position: int, effect: AxisEffect, share: Coefficient
) -> FloatArray:
    """Sum, but for the last axis, of what no other cause or leak reaches on one axis.

    Parameters
    ----------
    before : array (..., R)
        Components before the cause.
    pulled : array (..., R)
        Adjoint pulled back through the cause, by `operator.floored` effects.
    position : int
    effect : AxisEffect
        That on the axis, floored.
    share : float or array (R,)
        What component 0 is worth in units of component 1.
    """
    first = component(position, 1)
    total = dot(share * before[component(position, 0)] - before[first], pulled[first])
    if before.shape[position] > 2:
        leak = component(position, 2)
        total = total - dot(before[leak], pulled[leak])
    result: FloatArray = total / effect.keep
    return result
