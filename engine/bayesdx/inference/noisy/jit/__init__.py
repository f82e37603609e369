"""The diagnosis sweep as a compiled loop over single cases; optional, on numba (extra ``fast``).

The same mathematics as `bayesdx.inference.noisy.lockstep.sweep`, in another shape. There, many
cases are advanced together, because NumPy is fast on long arrays only; cases whose risks are partly
unknown are too unlike each other for that. Here a case is answered from its raw evidence to its
posteriors before the next one is looked at, in memory that stays in the first-level cache:

====================  ==========================================================================
`memory`              what is read and written, as structures of pointers
`thread_memory`       what one thread writes on, allocated
`case_evidence`       evidence becomes factors of causes, and axes
`pendant`             pendant elimination: what hangs on by one thread is summed out as numbers
`pendant_risks`       the same of a risk that one cause only depends on
`case_order`          an order for the rest, with the true number of states of each risk
`axis_kernels`        elementary operations on a frontier; where a cause acts on an axis
`case_notes`          derivatives noted on the way back
`case_sweep`          the sweep over it, forward and backward
`tree_memory`         what a case that couples much needs: a tree of tables
`tree_order`          its graph, and an elimination order
`tree_ranks`          its nodes: what varies fastest, what their states are worth
`tree_buckets`        which tables are made, joined and summed out, and what that costs
`tree_places`         where tables lie
`tree_stars`          the table of a cause, and the way back from it
`tree_star_tables`    that table in the order and the components of a tree
`tree_walk`           how the entries of two tables go together
`tree_joins`          two tables joined, with or without a node that is summed out
`tree_closing`        a node summed out of one table; what follows any sum
`tree_digits`         how many digits are lost at most
`tree_sweep`          all of these, forward and backward
`pair_runs`           runs of entries of 106 bits in vector registers
`entry`               all cases of a batch; the entry of the compiled code
`driver`              threads; the only module that Python calls for cases
====================  ==========================================================================

A case is answered alone and by the same machine code, so neither the other rows of a batch nor the
number of threads changes a single bit of its answer. What is used of numba is in
`bayesdx.inference.typed`.

This package imports without numba. numba takes half a second to import and, the first time on a
machine, several seconds to compile; it is loaded by `driver_module`, on the first batch that asks
for it. That is the one import in the core that does not stand at the top of a file: `import
bayesdx` must not cost more for what most programs that answer single cases never use.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from bayesdx.inference import machine_code
from bayesdx.inference.arrays import BoolArray, FloatArray
from bayesdx.inference.evidence import Evidence, StateArray
from bayesdx.inference.noisy.limits import MOST_WORK
from bayesdx.inference.noisy.model import NoisyModel

if TYPE_CHECKING:
    from bayesdx.inference.noisy.note_book import NoteBook

__all__ = ["LOST", "driver_module", "installed", "kept", "ready"]

_DRIVER = "bayesdx.inference.noisy.jit.driver"
#: Rows that a thread takes at a time, unless they are hard: a few milliseconds of work.
TILE = 512
#: What became of a case: answered, too many axes, too much work for the orders tried here, or too
#: many digits lost on the way.
ANSWERED, TOO_MANY, TOO_DEAR, LOST = range(4)


class Driver(Protocol):
    """What `driver` offers."""

    def run(
        self,
        model: NoisyModel,
        evidence: Evidence,
        *,
        only_evidence: bool = False,
        without: BoolArray | None = None,
        asked: BoolArray | None = None,
        symptoms: FloatArray | None = None,
        workers: int | None = None,
        most_work: int = MOST_WORK,
        book: NoteBook | None = None,
        tile: int = TILE,
    ) -> tuple[FloatArray, FloatArray, FloatArray, StateArray, FloatArray]:
        """Answer every case."""

    def prepare(self) -> tuple[str, float]:
        """Compile all kernels; where they are kept, and CPU seconds."""


def installed() -> bool:
    """Whether numba can be imported."""
    return ready() or machine_code.installed()


def ready() -> bool:
    """Whether this process has the machine code, or is about to: a batch has asked for it."""
    return _DRIVER in sys.modules


def kept() -> bool:
    """Whether the machine code lies on disk, newer than its sources."""
    return machine_code.on_disk(Path(__file__).parent, "answer_rows")


def driver_module() -> Driver:
    """Import the compiled loop, and numba with it; say so where it has to be compiled first."""
    if not ready() and not kept() and sys.stderr is not None and sys.stderr.isatty():
        print("bayesdx: compiling, once; `bayesdx prepare` does so ahead", file=sys.stderr)
    return cast(Driver, import_module(_DRIVER))
