"""What a discrete Bayesian network is: variables, conditional distributions, the network.

This floor knows nothing of clinicians, files or algorithms. Every value is frozen and every
array read-only, so a network can be shared between threads and named by its digest.
"""

from bayesdx.network.cpds import CPD, AnyOfCPD, NoisyMaxCPD, NoisyOrCPD, TableCPD
from bayesdx.network.network import Network
from bayesdx.network.variables import ABSENT, BINARY_STATES, PRESENT, Variable

__all__ = [
    "ABSENT",
    "BINARY_STATES",
    "CPD",
    "PRESENT",
    "AnyOfCPD",
    "Network",
    "NoisyMaxCPD",
    "NoisyOrCPD",
    "TableCPD",
    "Variable",
]
