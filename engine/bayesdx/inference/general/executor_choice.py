"""Whether compiled executors answer, decided by what has been spent without them."""

from __future__ import annotations

from typing import get_args

from bayesdx.errors import BayesdxError, Fault, Phrase
from bayesdx.inference.general import machine
from bayesdx.inference.general.costs import COMPILING, LOADING
from bayesdx.inference.machine_code import Backend


class ExecutorChoice:
    """The compiled executors of one network, once they are worth having.

    Loading them takes as long as some hundred cases without them. As with plans, what has been
    spent by other means is added up, and nothing depends on a clock.

    Parameters
    ----------
    backend : {"auto", "numpy", "compiled"}

    Raises
    ------
    BayesdxError
        If the backend is not there.
    """

    def __init__(self, backend: Backend) -> None:
        if backend not in get_args(Backend):
            raise BayesdxError(Fault("backend", "auto, numpy or compiled", backend))
        self._possible = backend != "numpy" and machine.installed()
        if backend == "compiled" and not self._possible:
            raise BayesdxError(Fault("backend", "numba, of the extra 'fast'", Phrase("no numba")))
        self._spent, self._price = 0.0, 0.0
        self.executors: machine.Executors | None = None
        if backend == "compiled":
            self.executors = machine.executors()
        elif self._possible and not machine.ready():
            self._price = LOADING if machine.on_disk() else COMPILING

    def spend(self, nanoseconds: float) -> machine.Executors | None:
        """Count the time that cases would take in NumPy; return the executors if worth it."""
        if self.executors is None and self._possible:
            self._spent += nanoseconds
            if machine.ready() or self._spent >= self._price:
                self.executors = machine.executors()
        return self.executors
