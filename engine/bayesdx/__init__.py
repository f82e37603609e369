"""bayesdx: Bayesian differential diagnosis, exact, with the source of every number.

Educational decision support. Not a medical device; it rules nothing out.

Names are imported when they are first used, so that ``import bayesdx`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # for type checkers, which know the name; `typing` takes its time
if TYPE_CHECKING:
    from typing import Any

    from bayesdx.diagnosis.diagnosing import Diagnosis
    from bayesdx.diagnosis.engine import Engine, load
    from bayesdx.diagnosis.red_flags import RedFlagHit
    from bayesdx.errors import BayesdxError, Fault, InvalidCase, InvalidKnowledge, InvalidNetwork
    from bayesdx.formats import from_pgmpy, read_network, to_pgmpy, write_network
    from bayesdx.network import Network, Variable
    from bayesdx.tables.networks import compile_network

__version__ = "0.2.0"

__all__ = [
    "BayesdxError",
    "Diagnosis",
    "Engine",
    "Fault",
    "InvalidCase",
    "InvalidKnowledge",
    "InvalidNetwork",
    "Network",
    "RedFlagHit",
    "Variable",
    "__version__",
    "compile_network",
    "from_pgmpy",
    "load",
    "read_network",
    "to_pgmpy",
    "write_network",
]

_MODULES = {
    "bayesdx.diagnosis.diagnosing": ("Diagnosis",),
    "bayesdx.diagnosis.engine": ("Engine", "load"),
    "bayesdx.diagnosis.red_flags": ("RedFlagHit",),
    "bayesdx.errors": (
        *("BayesdxError", "Fault", "InvalidCase", "InvalidKnowledge", "InvalidNetwork"),
    ),
    "bayesdx.formats": ("from_pgmpy", "read_network", "to_pgmpy", "write_network"),
    "bayesdx.network": ("Network", "Variable"),
    "bayesdx.tables.networks": ("compile_network",),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'bayesdx' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
