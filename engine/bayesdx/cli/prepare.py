"""`bayesdx prepare`: machine code ahead of time."""

from __future__ import annotations

from bayesdx.cli.progress import patience
from bayesdx.errors import BayesdxError, Fault, Phrase
from bayesdx.inference.general import machine
from bayesdx.inference.noisy import jit
from bayesdx.presentation.terminal import show_lines


def prepare() -> None:
    """Compile the fast sweeps now, so that no other command waits for it.

    Needs the extra 'fast'. Says where the machine code is kept; done again only where bayesdx,
    numba or Python has changed. Another user of this machine may need to run it as well.
    """
    if not jit.installed():
        raise BayesdxError(Fault("prepare", "numba, of the extra 'fast'", Phrase("no numba")))
    had = jit.kept() and (machine.on_disk() or not machine.installed())
    with patience("compiling, once"):
        folder, seconds = jit.driver_module().prepare()
        if machine.installed():
            seconds += machine.executors().prepare()[1]
    place = f"kept in {folder}" if folder else "kept nowhere: no folder can be written to"
    show_lines(f"machine code {'was there' if had else f'compiled in {seconds:.0f} s'}; {place}")
