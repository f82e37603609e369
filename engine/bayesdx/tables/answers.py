"""Answers of general networks as tables, and tables as their evidence."""

from __future__ import annotations

import pandas as pd

from bayesdx.network.network import Network
from bayesdx.tables.networks import NetworkAnswer
from bayesdx.tables.reserved import RESERVED


def evidence_columns(cases: pd.DataFrame, network: Network) -> pd.DataFrame:
    """Return what a table of cases says about a network, blank cells as unknown.

    The reserved columns are left out, except where the network has a variable of that name.
    """
    kept = [name for name in cases.columns if name in network.variables or name not in RESERVED]
    evidence = cases[kept]
    return evidence.where(evidence != "", None)


def posterior_frame(answer: NetworkAnswer) -> pd.DataFrame:
    """Lay an answer out as one row a case: ``variable=state`` columns, log evidence, status."""
    columns = {
        f"{name}={state}": posteriors[:, position]
        for name, posteriors in answer.posteriors.items()
        for position, state in enumerate(answer.states[name])
    }
    tail = {"log_evidence": answer.log_evidence, "status": answer.status}
    return pd.DataFrame({**columns, **tail})
