"""What answering a case costs by each road: estimates, of which only the ratios matter.

Nanoseconds on the machine they were fitted on (AVX-512, one core); `benchmarks/speed/roads.py` puts
measurements beside them. Nothing here depends on a clock: equal rows take equal roads everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Importing numba and machine code from disk, and compiling it first.
LOADING, COMPILING = 4e8, 4e9
#: An elementwise operation of a plan in NumPy, an array call, the same where a tile does not fit in
#: the cache, and what an operation takes more where only one case is asked for.
OPERATION, CALL, FAR_OPERATION, NARROW = 0.25, 700.0, 0.5, 1.5
CACHE_BYTES = float(32 << 20)
#: Cases side by side in compiled code.
FLAT_WIDTH = 16
#: In compiled code: an operation and an instruction, of a case among 16 and of one alone; bytes of
#: a block that double the first, and by how much they raise it at most.
FLAT_OPERATION, FLAT_CALL, LONE_OPERATION, LONE_CALL = 0.08, 1.5, 0.6, 12.0
FLAT_CACHE, FLAT_FARTHEST = 12e6, 3.5
#: Array steps, and nanoseconds of a step and of a joint state, while a plan is made.
PLAN_STEPS, COMPILE_STEP, COMPILE_ROW = 6.0, 80e3, 350.0


@dataclass(frozen=True)
class CaseWork:
    """What one case answered alone is made of: open variables, factors over them, clique cells."""

    variables: float
    factors: float
    cells: float

    def towards(self, other: CaseWork, share: float) -> CaseWork:
        """What lies so far on the way to another."""
        return CaseWork(
            self.variables + share * (other.variables - self.variables),
            self.factors + share * (other.factors - self.factors),
            self.cells + share * (other.cells - self.cells),
        )

    def nanoseconds(self, compiled: bool) -> float:
        """Estimated time, fitted to ten networks: of four cases in five within 0.6 to 1.2 times.

        Compiled, cells of tables that were looked through for zeros count like those of cliques.
        """
        if compiled:
            return 4e3 + 430.0 * self.variables + 3.0 * self.cells
        return 13e3 + 3.3e3 * self.variables + 27e3 * self.factors + 19.0 * self.cells


def making_nanoseconds(variables: float, cells: float) -> float:
    """Estimated time that a plan takes to make."""
    return PLAN_STEPS * variables * COMPILE_STEP + cells * COMPILE_ROW
