"""BIF, written so that ours, pgmpy's and pyAgrum's readers take it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

from bayesdx.network.network import Network

#: What needs no quotes: what the well-known networks hold. A second slash would begin a comment.
_PLAIN = re.compile(r"[A-Za-z0-9_.<>=+-]+(?:/[A-Za-z0-9_.<>=+-]+)*")
_KEYWORDS = frozenset(
    {"network", "variable", "probability", "property", "type", "table", "default"}
)


def write_bif(network: Network) -> Iterator[str]:
    """Write a network in BIF, piece by piece; noisy families become tables.

    Numbers are written in full: what is read back is equal to the last bit.
    """
    yield "network bayesdx {\n}\n"
    for variable in network.variables.values():
        states = ", ".join(map(_shown, variable.states))
        yield f"variable {_shown(variable.name)} {{\n"
        yield f"  type discrete [ {variable.cardinality} ] {{ {states} }};\n}}\n"
    for name in network.variables:
        parents = network.parents(name)
        given = f" | {', '.join(map(_shown, parents))}" if parents else ""
        yield f"probability ( {_shown(name)}{given} ) {{\n"
        table = network.table(name)
        labels = product(*(map(_shown, network.variables[one].states) for one in parents))
        for key, row in zip(labels, table.reshape(-1, table.shape[-1]), strict=True):
            first = f"({', '.join(key)})" if parents else "table"
            yield f"  {first} {', '.join(map(repr, row.tolist()))};\n"
        yield "}\n"


def _shown(name: str) -> str:
    return name if _PLAIN.fullmatch(name) and name not in _KEYWORDS else f'"{name}"'
