"""The diagnosis sweep as a compiled loop over single cases; optional, on numba (extra ``fast``).

The same mathematics as `bayesdx.inference.noisy.lockstep.sweep`, in another shape. There, many
cases are advanced together, because NumPy is fast on long arrays only; cases whose risks are partly
unknown are too unlike each other for that. Here a case is answered from its raw evidence to its
posteriors before the next one is looked at, in memory that stays in the first-level cache:

====================  ==========================================================================
`typed`               numba, plain pointers, and what a function compiles to
`memory`              what is read and written, as structures of pointers
`case_evidence`       evidence becomes factors of causes, and axes
`pendant`             pendant elimination: what hangs on by one thread is summed out as numbers
`case_order`          an order for the rest, with the true number of states of each risk
`axis_kernels`        elementary operations on a frontier; where a cause acts on an axis
`case_sweep`          the sweep over it, forward and backward
`entry`               all cases of a batch; the entry of the compiled code
`driver`              threads; the only module that Python calls for cases
`lane_kernel`         one case in many lanes
====================  ==========================================================================

A case is answered alone and by the same machine code, so neither the other rows of a batch nor the
number of threads changes a single bit of its answer.

This package imports without numba. numba takes half a second to import and, the first time on a
machine, several seconds to compile; it is loaded by `driver_module`, on the first batch that asks
for it. That is the one import in the core that does not stand at the top of a file: `import
bayesdx` must not cost more for what most programs that answer single cases never use.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol, cast

from bayesdx.inference.arrays import BoolArray, FloatArray
from bayesdx.inference.evidence import Evidence, StateArray
from bayesdx.inference.noisy.model import NoisyModel

__all__ = ["LEAST_CASES", "driver_module", "installed"]

#: Batches smaller than this are left to NumPy unless the compiled loop is asked for by name. They
#: take less than numba's import, and the choice depends on nothing but the batch.
LEAST_CASES = 2048


class Driver(Protocol):
    """What `driver` offers."""

    def run(
        self,
        model: NoisyModel,
        evidence: Evidence,
        *,
        only_evidence: bool = False,
        without: BoolArray | None = None,
        workers: int | None = None,
    ) -> tuple[FloatArray, FloatArray, FloatArray, StateArray]:
        """Answer every case."""


@cache
def installed() -> bool:
    """Whether numba can be imported."""
    return find_spec("numba") is not None


@cache
def driver_module() -> Driver:
    """Import the compiled loop, and numba with it."""
    return cast(Driver, import_module("bayesdx.inference.noisy.jit.driver"))
