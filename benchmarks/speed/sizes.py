"""How much is measured, and how the minutes of a run are shared out."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

#: Seconds that a child may take to start and to read its network, beside what it measures.
START = 25.0
#: Seconds of a shape and engine, however little is left of the budget.
LEAST = 1.0
#: Of a network's time: bayesdx, the engines of pyAgrum together, those of pgmpy together.
SHARES = {"bayesdx": 0.45, "pyAgrum": 0.35, "pgmpy": 0.20}
#: Most that one network may take, in shares of what would be even; small ones leave time over.
LARGEST_SHARE = 3.0


@dataclass(frozen=True)
class Size:
    """How much is measured.

    ``seconds`` bound what one shape and engine is asked, ``growth_seconds`` each point of the
    growth, ``minutes`` the whole run, of which ``growth_minutes`` are kept for growth.
    """

    rows: int
    default_rows: int
    batches: int
    seconds: float
    pgmpy_seconds: float
    growth_seconds: float
    minutes: float
    growth_minutes: float
    growth_rows: tuple[int, ...]
    positives: tuple[int, ...]
    causes: tuple[int, ...]
    draws: tuple[int, ...]
    cases: int
    singles: int


QUICK_SIZE = Size(
    rows=1000,
    default_rows=10_000,
    batches=4,
    seconds=1.5,
    pgmpy_seconds=0.5,
    growth_seconds=0.5,
    minutes=10.0,
    growth_minutes=3.0,
    growth_rows=(1, 10, 100, 1000, 10_000, 100_000),
    positives=(0, 1, 3, 5, 8, 10, 15, 20),
    causes=(3, 5),
    draws=(1, 10, 100, 1000),
    cases=20_000,
    singles=20,
)
FULL_SIZE = Size(
    rows=1000,
    default_rows=20_000,
    batches=6,
    seconds=6.0,
    pgmpy_seconds=2.0,
    growth_seconds=2.0,
    minutes=40.0,
    growth_minutes=13.0,
    growth_rows=(1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000),
    positives=tuple(range(21)),
    causes=(3, 5, 7, 10),
    draws=(1, 10, 100, 1000, 10_000),
    cases=100_000,
    singles=100,
)


@dataclass
class Budget:
    """Minutes of wall time for a list of things; what one leaves over the next ones have."""

    minutes: float
    left: int
    begun: float = field(default_factory=time.monotonic)

    @property
    def seconds_left(self) -> float:
        return max(0.0, 60.0 * self.minutes - (time.monotonic() - self.begun))

    def next_share(self) -> float:
        """Seconds for the next thing on the list."""
        even = 60.0 * self.minutes / max(1, self.left)
        share = min(self.seconds_left / max(1, self.left), LARGEST_SHARE * even)
        self.left -= 1
        return share


@dataclass(frozen=True)
class Limits:
    """Seconds for one engine.

    ``asked`` is what it is asked a shape, ``wall`` the clock for that, ``start`` what its child has
    besides.
    """

    asked: float
    wall: float
    start: float = START


def limits(engine: str, share: float, shapes: int, size: Size) -> Limits:
    """Share the seconds of a network out among engines and shapes."""
    family = engine.split()[0]
    engines = {"bayesdx": 1, "pyAgrum": 3, "pgmpy": 2}[family]
    wall = max(LEAST, SHARES[family] * share / engines / shapes)
    most = size.pgmpy_seconds if family == "pgmpy" else size.seconds
    return Limits(min(most, wall), wall)
