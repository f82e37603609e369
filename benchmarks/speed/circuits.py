"""compiled-knowledge as a peer: a network as an arithmetic circuit, compiled by LLVM.

Run by `general.py` with the interpreter of an environment that has it (Python 3.12, ``pip install
compiled-knowledge``); nothing of this project is imported, the network and its right answers come
in a file. It gets states, not words, and single cases as mappings of words.
"""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from children import child_job, tell
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Table = tuple[Sequence[int], FloatArray]

#: Its compilers of networks. The last, its default, is wrong on `alarm` (4.2.7: all evidence is
#: impossible).
CIRCUITS = ("FE_MIN_FILL", "FE_MIN_WEIGHTED_FILL", "VE_MIN_FILL", "RC_MIN_FILL", "FE_BEST_JOINTREE")
#: Operations beyond which LLVM would take minutes.
MOST_OPERATIONS = 400_000


class Circuits:
    """A network compiled for all posteriors and the evidence.

    Parameters
    ----------
    cards : sequence of int
        States of each variable.
    tables : sequence of tuple
        Of each variable, its parents' numbers and its table, one axis a parent, its own last.
    compiler : str
        Of `CIRCUITS`.
    """

    def __init__(self, cards: Sequence[int], tables: Sequence[Table], compiler: str) -> None:
        from ck.circuit_compiler import NamedCircuitCompiler
        from ck.pgm import PGM
        from ck.pgm_circuit.support.compile_circuit import compile_results
        from ck.pgm_compiler import NamedPGMCompiler

        pgm = PGM()
        self.cards = cards
        of = [pgm.new_rv(f"v{v}", card) for v, card in enumerate(cards)]
        for rv, (parents, table) in zip(of, tables, strict=True):
            factor = pgm.new_factor(*(of[parent] for parent in parents), rv)
            factor.set_dense().set_flat(*table.tolist())
        circuit = NamedPGMCompiler[compiler](pgm, const_parameters=True)
        top = circuit.circuit_top
        slots = [circuit.slot_map[state] for rv in of for state in rv]
        joint = top.circuit.partial_derivatives(
            top, [top.circuit.vars[slot] for slot in slots], self_multiply=True
        )
        if top.circuit.number_of_op_nodes > MOST_OPERATIONS:
            raise ValueError(f"{top.circuit.number_of_op_nodes} operations")
        self.code: Any = compile_results(
            pgm_circuit=circuit,
            results=[*joint, top],
            const_parameters=True,
            compiler=NamedCircuitCompiler.LLVM_STACK,
        )
        self.pointer = ctypes.POINTER(ctypes.c_double)
        self.spare = np.zeros(self.code.number_of_tmps + 1)
        self.work = self.spare.ctypes.data_as(self.pointer)
        ends = np.cumsum(cards)
        self.slots = [slots[end - card : end] for end, card in zip(ends, cards, strict=True)]

    def ask(self, rows: NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
        """Posteriors (N, T) and log evidence (N,) of states (N, V), -1 unknown."""
        inputs = np.zeros((len(rows), self.code.number_of_vars))
        for v, slots in enumerate(self.slots):
            for state, slot in enumerate(slots):
                inputs[:, slot] = (rows[:, v] < 0) | (rows[:, v] == state)
        outputs = np.empty((len(rows), self.code.number_of_results))
        places = [
            range(array.ctypes.data, array.ctypes.data + array.nbytes, array.strides[0])
            for array in (inputs, outputs)
        ]
        run, cast, pointer, work = self.code.function, ctypes.cast, self.pointer, self.work
        for at, to in zip(*places, strict=True):
            run(cast(at, pointer), work, cast(to, pointer))
        evidence = outputs[:, -1]
        with np.errstate(divide="ignore", invalid="ignore"):
            return outputs[:, :-1] / evidence[:, None], np.log(evidence)

    def ask_one(self, case: Mapping[str, str]) -> FloatArray:
        """Posteriors (T,) of one case; names are ``v3``, states ``s1``."""
        inputs = np.ones(self.code.number_of_vars)
        for name, state in case.items():
            slots = self.slots[int(name[1:])]
            inputs[slots] = 0.0
            inputs[slots[int(state[1:])]] = 1.0
        outputs = np.empty(self.code.number_of_results)
        pointer = self.pointer
        self.code.function(
            inputs.ctypes.data_as(pointer), self.work, outputs.ctypes.data_as(pointer)
        )
        posteriors: FloatArray = outputs[:-1] / outputs[-1]
        return posteriors


def cases_of(rows: NDArray[np.int64]) -> list[dict[str, str]]:
    """States (N, V) as mappings of words."""
    return [
        {f"v{v}": f"s{state}" for v, state in enumerate(row) if state >= 0} for row in rows.tolist()
    ]


def main() -> None:
    """Tell of each compiler how far its answers are off, and the seconds of a row and of a case."""
    job = child_job()
    with np.load(job["file"]) as kept:
        given = dict(kept)
    cards, rows, right, logs = (given[key] for key in ("cards", "rows", "right", "logs"))
    tables = [(given[f"parents{v}"].tolist(), given[f"table{v}"]) for v in range(len(cards))]
    singles = cases_of(given["singles"])
    for name in CIRCUITS:
        try:
            peer = Circuits(cards.tolist(), tables, name)
        except (ValueError, MemoryError, RecursionError) as error:
            tell("refused", compiler=name, reason=f"{type(error).__name__}: {error}")
            continue
        found, evidence = peer.ask(rows[: len(right)])
        off = float(np.abs(found - right).max())
        log_off = np.abs(evidence - logs)
        log_off = float(log_off[~np.isnan(log_off)].max(initial=0.0))
        if not (off < job["exact"] and log_off < job["close"]):
            tell("refused", compiler=name, reason=f"wrong by {max(off, log_off):.2g}")
            continue
        batch, best = math.inf, [math.inf] * len(singles)
        for _ in range(3):
            start = time.process_time()
            peer.ask(rows)
            batch = min(batch, time.process_time() - start)
            for i, case in enumerate(singles):
                start = time.process_time()
                peer.ask_one(case)
                best[i] = min(best[i], time.process_time() - start)
        tell(
            "measured",
            compiler=name,
            batch=batch / len(rows),
            new=float(np.median(best)),
            difference=off,
        )


if __name__ == "__main__":
    main()
