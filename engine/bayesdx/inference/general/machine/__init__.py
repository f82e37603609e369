"""Compiled executors of general networks; optional, on numba (extra ``fast``).

====================  ==========================================================================
`flat_code`           a plan's instructions as numbers, fused
`program_kernel`      runs them over cases, 16 or 1 side by side
`program_runner`      memories and answers of a plan
`alone_memory`        what the kernel of single cases reads and writes
`alone_zeros`         which states it leaves possible
`alone_operands`      factors sliced, soft evidence, who shares a table with whom
`alone_order`         its elimination order
`alone_tables`        products and sums of tables
`alone_entry`         sweeps up and down; the entry of the kernel of single cases
`alone_runner`        workspaces and answers of single cases
`float_flags`         whether a number left the range of floats
====================  ==========================================================================

Both kernels answer a case by the same machine code wherever it stands in a batch. This package
imports without numba; `executors` brings it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from bayesdx.inference import machine_code
from bayesdx.inference.general.machine.float_flags import float_flags

if TYPE_CHECKING:
    from bayesdx.inference.arrays import FloatArray, IntArray
    from bayesdx.inference.general.factors import FactorNetwork
    from bayesdx.inference.general.tiles import CaseBatch, Readout
    from bayesdx.inference.general.tree_plan import TreePlan

_EXECUTORS = "bayesdx.inference.general.machine.compiled_executors"


class ProgramExecutor(Protocol):
    """Answers cases by a plan."""

    def answer(self, cases: CaseBatch, wanted: Readout) -> tuple[FloatArray, FloatArray, IntArray]:
        """Answer every case.

        Parameters
        ----------
        cases : CaseBatch
            N cases, all of which observe the plan's sliced variables.
        wanted : Readout

        Returns
        -------
        posteriors : array (T, N)
            Zeros where the evidence is impossible.
        log_evidence : array (N,)
            -inf where impossible.
        failed : intp array
            Cases that were not answered: somewhere a number left the range of floats.
        """


class CaseExecutor(Protocol):
    """Answers cases without a plan."""

    def answer(
        self, cases: CaseBatch, targets: Sequence[int]
    ) -> tuple[FloatArray, FloatArray, IntArray, FloatArray]:
        """Answer every case.

        Parameters
        ----------
        cases : CaseBatch
            N cases.
        targets : sequence of int
            Variables whose posteriors are wanted, increasing.

        Returns
        -------
        posteriors : array (T, N)
            Zeros where the evidence is impossible.
        log_evidence : array (N,)
            -inf where impossible.
        status : int8 array (N,)
            0, or why a case was not answered; see `alone_memory`.
        needs : array (N, 5)
            Open variables, operands and cells of each case, and what room it took.
        """


class Executors(Protocol):
    """What the compiled code offers."""

    def program(self, plan: TreePlan) -> ProgramExecutor:
        """Compile a plan."""

    def alone(self, problem: FactorNetwork, memory_limit: float) -> CaseExecutor:
        """Make a network ready for single cases."""

    def prepare(self) -> tuple[str, float]:
        """Have all machine code: the folder in which it is kept, if any, and CPU seconds."""


def installed() -> bool:
    """Whether compiled executors can be had: numba, and the flags of the C library."""
    return machine_code.installed() and float_flags() is not None


def ready() -> bool:
    """Whether this process has asked for them already."""
    return _EXECUTORS in sys.modules


def on_disk() -> bool:
    """Whether all machine code lies on disk, newer than its sources."""
    here = Path(__file__).parent
    return all(machine_code.on_disk(here, name) for name in ("run_program", "answer_alone_at"))


def executors() -> Executors:
    """Import the compiled executors, and numba with them."""
    return cast(Executors, import_module(_EXECUTORS))
