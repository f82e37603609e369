"""Cases whose probability is a signed sum over rows."""

from __future__ import annotations

import numpy as np

from bayesdx.inference.arrays import FloatArray, IntArray


def signed_sums(
    log_evidence: FloatArray, sign: FloatArray, owner: IntArray, n_cases: int
) -> tuple[FloatArray, FloatArray]:
    """Add rows up, case by case.

    Parameters
    ----------
    log_evidence, sign : arrays (R,)
        Natural log of the probability of each row, and 1 or -1.
    owner : int array (R,)
        The case of each row.
    n_cases : int
        N.

    Returns
    -------
    log_total : array (N,)
        ``-inf`` where nothing is left.
    share : array (R,)
        What part of its case a row is; 0 where nothing is left.
    """
    top = np.full(n_cases, -np.inf)
    np.maximum.at(top, owner, log_evidence)
    safe = np.where(np.isneginf(top), 0.0, top)
    terms = sign * np.exp(log_evidence - safe[owner])
    total = np.bincount(owner, terms, n_cases)
    own = total[owner]
    share = np.divide(terms, own, out=np.zeros_like(terms), where=own > 0.0)
    log_total = np.full(n_cases, -np.inf)
    np.log(total, out=log_total, where=total > 0.0)
    return log_total + safe, share
