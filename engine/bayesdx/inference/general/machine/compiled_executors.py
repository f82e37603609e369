"""The compiled executors of general networks; the only module of them that others call."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bayesdx.inference.general.machine.alone_entry import answer_alone_at
from bayesdx.inference.general.machine.alone_runner import AloneRunner
from bayesdx.inference.general.machine.float_flags import FloatFlags, float_flags
from bayesdx.inference.general.machine.program_kernel import run_program
from bayesdx.inference.general.machine.program_runner import FlatRunner
from bayesdx.inference.typed import compile_ahead

if TYPE_CHECKING:
    from bayesdx.inference.general.factors import FactorNetwork
    from bayesdx.inference.general.tree_plan import TreePlan


def program(plan: TreePlan) -> FlatRunner:
    """Compile a plan."""
    return FlatRunner(plan, _flags())


def alone(problem: FactorNetwork, memory_limit: float) -> AloneRunner:
    """Make a network ready for single cases."""
    return AloneRunner(problem, memory_limit, _flags())


def prepare() -> tuple[str, float]:
    """Have all machine code: the folder in which it is kept, if any, and CPU seconds."""
    begin = time.process_time()
    for entry in (run_program, answer_alone_at):
        compile_ahead(entry)
    return str(run_program.stats.cache_path or ""), time.process_time() - begin


def _flags() -> FloatFlags:
    found = float_flags()
    assert found is not None  # `installed` has looked
    return found
