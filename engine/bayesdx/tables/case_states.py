"""Cases of any kind, put to a network: state positions, soft evidence, labels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayesdx.case_columns import column_roles
from bayesdx.case_frames import CaseTable, cases_frame, is_one_case
from bayesdx.errors import Fault, InvalidCase
from bayesdx.inference.arrays import FloatArray
from bayesdx.tables.encoding import Encoder, States

#: To make such an index takes as long as to answer a small case.
_ONE = pd.RangeIndex(1)
#: For a variable, likelihoods (N, S) of what was seen given each state.
Likelihoods = Mapping[str, ArrayLike] | None


def read_cases(
    encoder: Encoder, evidence: CaseTable, likelihoods: Likelihoods, faults: list[Fault]
) -> tuple[States, dict[int, FloatArray], pd.Index]:
    """Read cases; reserved columns are no evidence, where no variable has such a name.

    Parameters
    ----------
    encoder : Encoder
    evidence : table, mapping, list of mappings or int array (N, V)
        N cases; integers are positions of states in the order of the network's variables.
    likelihoods : mapping of str to array (N, S) or None
    faults : list of Fault
        What is wrong already, to be told with the rest.

    Returns
    -------
    states : intp array (N, V)
        State positions, -1 unknown.
    soft : dict of int to array (N, S)
        Likelihoods by position of the variable.
    index : Index
        Labels of the cases.

    Raises
    ------
    InvalidCase
        With every fault at once.
    """
    index: pd.Index = _ONE
    known = encoder.position.__contains__
    if is_one_case(evidence):
        states, wrong = encoder.one(evidence)
    elif isinstance(evidence, np.ndarray) and evidence.dtype.kind in "iu":
        states, wrong = encoder.positions(evidence)
    elif isinstance(evidence, list) and all(isinstance(case, Mapping) for case in evidence):
        names = list(dict.fromkeys(name for case in evidence for name in case))
        states, wrong = encoder.rows(evidence, column_roles(names, known).evidence)
    else:
        table = cases_frame(evidence, "evidence")
        index, names = table.index, table.columns.tolist()
        wanted = column_roles(names, known).evidence
        states, wrong = encoder.states(table if len(wanted) == len(names) else table[list(wanted)])
    if len(index) != len(states):
        index = pd.RangeIndex(len(states))
    soft, further = encoder.likelihoods(likelihoods, len(states))
    faults = wrong + further + faults
    if faults:
        raise InvalidCase(faults)
    return states, {v: np.asarray(one, np.float64) for v, one in soft.items()}, index
