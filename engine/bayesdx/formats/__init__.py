"""Network files of other programs, read and written, and networks of pgmpy.

=======  ==========================  ===========================================================
format   suffix, also with .gz       what it can hold
=======  ==========================  ===========================================================
BIF      .bif                        names without quotation marks and control characters
XMLBIF   .xmlbif .bifxml .xml        names without blanks around them and control characters
NET      .net                        states without control characters; names are identifiers
XDSL     .xdsl                       names and states are identifiers; noisy families
UAI      .uai                        no names
PGMX     .pgmx                       only read: OpenMarkov
DNE      .dne                        only read: Netica
=======  ==========================  ===========================================================

Where a format holds no noisy families, they become tables, and those of many parents chains of
tables (`bayesdx.network.divorcing`). pgmpy is imported by `to_pgmpy` and `from_pgmpy` alone, when
they are called.
"""

# All readers are our own: pgmpy's were measured first, and the head of each module says on what
# they failed. What they share (bounds, sums, faults with line numbers): `bayesdx.formats.draft`.

from bayesdx.formats.draft import InexactNetworkWarning
from bayesdx.formats.exchange import from_pgmpy, to_pgmpy
from bayesdx.formats.files import FORMATS, Format, parse_network, read_network, write_network
from bayesdx.formats.renaming import Renaming
from bayesdx.formats.uai_markov import (
    read_either_network,
    read_markov_network,
    read_uai_evidence,
)

__all__ = [
    "FORMATS",
    "Format",
    "InexactNetworkWarning",
    "Renaming",
    "from_pgmpy",
    "parse_network",
    "read_either_network",
    "read_markov_network",
    "read_network",
    "read_uai_evidence",
    "to_pgmpy",
    "write_network",
]
