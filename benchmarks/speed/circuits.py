"""compiled-knowledge as a peer: a network as an arithmetic circuit, a batch in one loop."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from networks import FloatArray

from bayesdx.inference.arrays import IntArray
from bayesdx.network import Network

#: Its compilers of networks; LLVM makes code of the circuit. The last, its default, is wrong on
#: `alarm` (4.2.7: all evidence is impossible).
CIRCUITS = ("FE_MIN_FILL", "FE_MIN_WEIGHTED_FILL", "VE_MIN_FILL", "RC_MIN_FILL", "FE_BEST_JOINTREE")
#: Operations beyond which LLVM would take minutes.
MOST_OPERATIONS = 400_000


class Circuits:
    """A network compiled for all posteriors and the evidence.

    Parameters
    ----------
    network : Network
    compiler : str
        Of `CIRCUITS`.
    """

    def __init__(self, network: Network, compiler: str) -> None:
        from ck.circuit_compiler import NamedCircuitCompiler
        from ck.pgm import PGM
        from ck.pgm_circuit.support.compile_circuit import compile_results
        from ck.pgm_compiler import NamedPGMCompiler

        pgm = PGM()
        self.cards = [variable.cardinality for variable in network.variables.values()]
        of = {name: pgm.new_rv(f"v{v}", self.cards[v]) for v, name in enumerate(network.variables)}
        for name in network.variables:
            factor = pgm.new_factor(*(of[parent] for parent in network.parents(name)), of[name])
            factor.set_dense().set_flat(*network.table(name).ravel().tolist())
        circuit = NamedPGMCompiler[compiler](pgm, const_parameters=True)
        top = circuit.circuit_top
        self.slots = [circuit.slot_map[state] for rv in of.values() for state in rv]
        joint = top.circuit.partial_derivatives(
            top, [top.circuit.vars[slot] for slot in self.slots], self_multiply=True
        )
        if top.circuit.number_of_op_nodes > MOST_OPERATIONS:
            raise ValueError(f"{top.circuit.number_of_op_nodes} operations")
        self.code: Any = compile_results(
            pgm_circuit=circuit,
            results=[*joint, top],
            const_parameters=True,
            compiler=NamedCircuitCompiler.LLVM_STACK,
        )

    def ask(self, rows: IntArray) -> tuple[FloatArray, FloatArray]:
        """Posteriors (N, T) and log evidence (N,) of states (N, V), -1 unknown."""
        code, n = self.code, len(rows)
        inputs = np.zeros((n, code.number_of_vars))
        states = [(v, state) for v, card in enumerate(self.cards) for state in range(card)]
        for slot, (v, state) in zip(self.slots, states, strict=True):
            inputs[:, slot] = (rows[:, v] < 0) | (rows[:, v] == state)
        outputs, spare = np.empty((n, code.number_of_results)), np.zeros(code.number_of_tmps + 1)
        pointer = ctypes.POINTER(ctypes.c_double)
        work = spare.ctypes.data_as(pointer)
        places = [
            range(array.ctypes.data, array.ctypes.data + n * array.strides[0], array.strides[0])
            for array in (inputs, outputs)
        ]
        run, cast = code.function, ctypes.cast
        for at, to in zip(*places, strict=True):
            run(cast(at, pointer), work, cast(to, pointer))
        evidence = outputs[:, -1]
        with np.errstate(divide="ignore", invalid="ignore"):
            return outputs[:, :-1] / evidence[:, None], np.log(evidence)
