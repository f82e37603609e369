"""Which backend answers a batch sooner, from what is known before it is planned.

The unit is one case of the packaged knowledge alone in NumPy, of 18 axes; what a machine takes for
it cancels out. Drawn cases of all risks known, of age and sex known, and as they are drawn take
0.05, 1 and 2 to 3 units each among 100 to 500, and 0.07, 1.8 and 2.3 by this estimate: few heavy
cases take most of it, and no count of axes tells them apart. `benchmarks/speed/backends.py` prints
the measurements beside these constants:

==========  ==================================================================================
`_TOGETHER`  a case among many, against one alone: the arrays of a step are long then
`_FEWER`     the compiled sweep of as many cases, against NumPy, at the least
`_LOADING`   numba's import, and machine code from disk; twice, as numba is large
`_COMPILING` machine code made anew
==========  ==================================================================================
"""

from __future__ import annotations

import math
from typing import get_args

import numpy as np

from bayesdx.errors import BayesdxError, Fault, Phrase
from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.machine_code import Backend
from bayesdx.inference.noisy import jit
from bayesdx.inference.noisy.condition import count_axes
from bayesdx.inference.noisy.model import NoisyModel

_TOGETHER, _FEWER, _LOADING, _COMPILING = 0.08, 1.0 / 8.0, 55.0, 1000.0
#: Axes of a row of a file: findings that are present, share of the shared risks.
_FINDINGS, _UNKNOWN = 7.0, 0.8
#: Axes of the unit, and how many more double the work of a case.
_USUAL, _DOUBLING = 18.0, 6.0


def numpy_effort(n_axes: IntArray) -> float:
    """Estimate what NumPy takes for cases with so many axes (N,), in units.

    Cases share the calls of a step as far as they are alike, which makes what they cost beside
    their arithmetic grow with the root of their number.
    """
    return _together(float(_alone(n_axes.astype(np.float64)).sum()))


def _alone(axes: FloatArray) -> FloatArray:
    """Estimate what cases take alone, in units."""
    growth: FloatArray = np.exp2(np.maximum(axes - _USUAL, 0.0) / _DOUBLING)
    return (1.0 + axes) / (1.0 + _USUAL) * growth


def _together(alone: float) -> float:
    """Estimate what cases take together that take so much one by one."""
    return math.sqrt(alone) + _TOGETHER * alone


def takes_compiled(backend: Backend, model: NoisyModel, evidence: Evidence) -> bool:
    """Whether the compiled sweep answers these cases.

    Parameters
    ----------
    backend : {"auto", "numpy", "compiled"}
    model : NoisyModel
    evidence : Evidence

    Raises
    ------
    BayesdxError
        If the backend asked for is not there.
    """
    _check(backend, model)
    if backend == "auto":
        ready = model.arrays is not None and jit.installed() and jit.ready()
        return ready or _worth_loading(model, numpy_effort(count_axes(model, evidence)))
    return backend == "compiled"


def settled(backend: Backend, model: NoisyModel, n_cases: int) -> Backend:
    """Choose once for a run of so many cases, however they are cut: so no chunk is on its own."""
    _check(backend, model)
    if backend != "auto":
        return backend
    ready = model.arrays is not None and jit.installed() and jit.ready()
    # Most shared risks of most rows are unknown.
    shared = int((model.axes.risk >= 0).sum())
    own = n_cases * float(_alone(np.array(max(_USUAL, _FINDINGS + _UNKNOWN * shared))))
    return "compiled" if ready or _worth_loading(model, _together(own)) else "numpy"


def _check(backend: Backend, model: NoisyModel) -> None:
    if backend not in get_args(Backend):
        raise BayesdxError(Fault("backend", "auto, numpy or compiled", backend))
    if backend == "compiled" and not jit.installed():
        raise BayesdxError(Fault("backend", "numba, of the extra 'fast'", Phrase("no numba")))
    if backend == "compiled" and model.arrays is None:
        expected, got = "smaller tables of causes", Phrase("too large ones")
        raise BayesdxError(Fault("backend", expected, got))


def _worth_loading(model: NoisyModel, effort: float) -> bool:
    """Whether the compiled sweep saves more than it takes to have it."""
    saved = effort * (1.0 - _FEWER)
    if saved <= _LOADING or model.arrays is None or not jit.installed():
        return False
    return saved > (_LOADING if jit.kept() else _COMPILING)
