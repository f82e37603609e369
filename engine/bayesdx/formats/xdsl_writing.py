"""XDSL, written: noisy families as the noisy-MAX nodes of GeNIe, labels as its display names."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

import numpy as np

from bayesdx.network.cpds import FloatArray, NoisyCPD, NoisyOrCPD
from bayesdx.network.divorcing import divorced, leaks_apart
from bayesdx.network.network import Network

#: Nodes of a row in GeNIe's window, and the pixels of a node and between two.
_A_ROW, _WIDE, _HIGH, _ACROSS, _DOWN = 12, 100, 40, 130, 80


def write_xdsl(network: Network) -> Iterator[str]:
    """Write a network in XDSL, piece by piece.

    SMILE wants parents above their children: nodes are written in topological order. Its noisy-MAX
    have their least level last, so the states of such a child stand in reverse. An inhibited leak
    becomes a node of its own, a parent whose link is certain.
    """
    whole = leaks_apart(network)
    inhibited = {
        name for name, cpd in whole.cpds.items() if isinstance(cpd, NoisyOrCPD) and cpd.inhibitors
    }
    whole = divorced(whole, only=inhibited)
    # Ids hold nothing that XML would have to escape.
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield '<smile version="1.0" id="bayesdx" numsamples="10000" discsamples="10000">\n<nodes>\n'
    for name in whole.order:
        noisy = isinstance(whole.cpds[name], NoisyCPD) and name not in inhibited
        yield from _noisy_max(whole, name) if noisy else _table(whole, name)
    yield "</nodes>\n"
    if any(variable.label for variable in whole.variables.values()):
        yield from _appearance(whole)
    yield "</smile>\n"


def _table(network: Network, name: str) -> Iterator[str]:
    yield from _head("cpt", name, network.variables[name].states, network.parents(name))
    yield f"  <probabilities>{_line(network.table(name))}</probabilities>\n</cpt>\n"


def _noisy_max(network: Network, name: str) -> Iterator[str]:
    cpd = network.cpds[name]
    assert isinstance(cpd, NoisyCPD)
    own = cpd.mechanism
    yield from _head("noisymax", name, network.variables[name].states[::-1], own.parents)
    if own.parents:
        # Of each parent the active state first, which is its last one.
        yield f"  <strengths>{' '.join(['1 0'] * len(own.parents))}</strengths>\n"
    silent = np.zeros_like(own.exceed)
    acting = np.stack([own.exceed, silent], axis=1).reshape(-1, silent.shape[1])
    levels = _levels(np.concatenate([acting, own.leak[None]]))
    yield f"  <parameters>{_line(levels)}</parameters>\n</noisymax>\n"


def _head(tag: str, name: str, states: tuple[str, ...], parents: tuple[str, ...]) -> Iterator[str]:
    yield f'<{tag} id="{name}">\n'
    for state in states:
        yield f'  <state id="{state}" />\n'
    if parents:
        yield f"  <parents>{' '.join(parents)}</parents>\n"


def _levels(exceed: FloatArray) -> FloatArray:
    """P(level), the highest one first, from P(above each level but the highest), (..., S - 1)."""
    ends = np.ones((len(exceed), 1)), np.zeros((len(exceed), 1))
    rising = np.concatenate([ends[0], exceed, ends[1]], axis=1)[:, ::-1]
    return np.diff(rising, axis=1)


def _line(values: FloatArray) -> str:
    return " ".join(map(repr, values.ravel().tolist()))


def _appearance(network: Network) -> Iterator[str]:
    yield '<extensions>\n<genie version="1.0" app="bayesdx" name="bayesdx">\n'
    for at, name in enumerate(network.order):
        label = _shown(network.variables[name].label) or name
        left, top = 20 + at % _A_ROW * _ACROSS, 20 + at // _A_ROW * _DOWN
        yield f'<node id="{name}">\n  <name>{escape(label)}</name>\n'
        yield '  <interior color="e5f6f7" />\n  <outline color="000080" />\n'
        yield '  <font color="000000" name="Arial" size="8" />\n'
        yield f"  <position>{left} {top} {left + _WIDE} {top + _HIGH}</position>\n</node>\n"
    yield "</genie>\n</extensions>\n"


def _shown(label: str) -> str:
    """What of a label XML can hold."""
    return "".join(one if one.isprintable() else " " for one in label).strip()
