"""bayesdx: Bayesian differential diagnosis, exact, with the source of every number.

Educational decision support. Not a medical device; it rules nothing out.
"""

from bayesdx.diagnosis import Diagnosis, Engine, RedFlagHit, load
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
