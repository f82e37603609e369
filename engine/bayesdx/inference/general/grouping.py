"""Rows that are the same, and likelihoods brought to one scale."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayesdx.errors import Fault, InvalidCase
from bayesdx.inference.arrays import FloatArray, IntArray

#: Of N rows, so many times the root of N are looked at to tell whether many repeat.
SAMPLED_ROOTS = 10


def distinct_rows(
    rows: NDArray[np.generic], extra: Mapping[int, FloatArray]
) -> tuple[IntArray | None, IntArray]:
    """Find rows that are equal.

    Parameters
    ----------
    rows : integer or bool array (N, K)
    extra : mapping of int to array (S, N)
        Further columns that must be equal.

    Returns
    -------
    first : intp array (D,) or None
        One row of each kind; None if all differ.
    inverse : intp array (N,)
        Which kind each row is.
    """
    n = len(rows)
    if n < 2:
        return None, np.arange(n)
    key = _mixed(rows)
    for values in extra.values():
        # + 0.0 makes of -0.0 what equals it.
        key = key * np.uint64(0x9E3779B97F4A7C15) + _mixed((values.T + 0.0).copy().view(np.int64))
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    if len(first) == n:
        return None, np.arange(n)
    same = bool((rows[first[inverse]] == rows).all())
    same = same and all(bool((v[:, first[inverse]] == v).all()) for v in extra.values())
    if not same:  # two different rows share a hash: one case in 2**64, answered the long way
        return None, np.arange(n)
    return first, inverse


def seldom_repeated(rows: NDArray[np.generic], extra: Mapping[int, FloatArray]) -> bool:
    """Whether so few rows repeat that finding them is not worth the time; arguments as above.

    Told by some rows, the same ones whenever there are as many: of rows of which each tenth repeats
    another one, ten pairs are expected among them. Looking at all of them would take a tenth of a
    batch of ``win95pts``.
    """
    n = len(rows)
    size = SAMPLED_ROOTS * math.isqrt(n)
    if size >= n:
        return False
    # Drawn, since rows spread evenly would never be neighbours, which is where repeats often are.
    few = np.random.default_rng(n).choice(n, size, replace=False, shuffle=False)
    return distinct_rows(rows[few], {v: one[:, few] for v, one in extra.items()})[0] is None


def _mixed(rows: NDArray[np.generic]) -> NDArray[np.uint64]:
    """Hash each row to 64 bits: its columns times fixed odd numbers."""
    rng = np.random.default_rng(len(rows.T))
    weights = rng.integers(0, 2**63, size=rows.shape[1], dtype=np.uint64) * np.uint64(2)
    weights += np.uint64(1)
    mixed: NDArray[np.uint64] = rows.astype(np.uint64) @ weights
    return mixed


def normalised_likelihoods(
    soft: Mapping[int, ArrayLike], n: int, cards: tuple[int, ...]
) -> tuple[dict[int, FloatArray], FloatArray]:
    """Bring soft evidence to a largest likelihood of 1 a row.

    Parameters
    ----------
    soft : mapping of int to array (N, S)
    n : int
    cards : tuple of int

    Returns
    -------
    likelihoods : dict of int to array (S, N)
        Ones where nothing is known.
    log_scale : array (N,)
        What was taken out; it belongs to the log evidence.

    Raises
    ------
    InvalidCase
        If a shape is wrong or a likelihood is negative or infinite.
    """
    result: dict[int, FloatArray] = {}
    log_scale = np.zeros(n)
    if not soft:
        return result, log_scale
    faults: list[Fault] = []
    for v in sorted(soft):
        given = np.asarray(soft[v], dtype=np.float64)
        place = f"likelihoods of variable {v}"
        if given.shape != (n, cards[v]):
            faults.append(Fault(place, f"shape {(n, cards[v])}", f"shape {given.shape}"))
            continue
        values = np.where(np.isnan(given).all(axis=1, keepdims=True), 1.0, given)
        if not np.isfinite(values).all() or (values < 0).any():
            faults.append(Fault(place, "finite numbers of at least 0", given.tolist()))
            continue
        top = values.max(axis=1)
        # Zeros everywhere stay zeros: such evidence is impossible, and is found so. Scaled by a
        # power of 2, no digit is lost; where the least would be, nothing is scaled.
        scale = np.ldexp(1.0, np.minimum(np.frexp(top)[1], 1023))
        least = np.min(values, axis=1, where=values > 0.0, initial=np.inf)
        scale = np.where((top > 0.0) & (least >= scale * 1e-290), scale, 1.0)
        log_scale += np.log(scale)
        result[v] = np.ascontiguousarray((values / scale[:, None]).T)
    if faults:
        raise InvalidCase(faults)
    return result, log_scale


def states_into_likelihoods(states: IntArray, likelihoods: Mapping[int, FloatArray]) -> IntArray:
    """Write observed states into soft evidence on the same variable; return the other states.

    Parameters
    ----------
    states : intp array (N, V)
    likelihoods : mapping of int to array (S, N)
        Changed in place: zero where a case has observed another state.

    Returns
    -------
    intp array (N, V)
        -1 where the state went into a likelihood.
    """
    left = states.copy()
    for v, values in likelihoods.items():
        seen = states[:, v] >= 0
        values *= ~seen | (np.arange(len(values))[:, None] == states[:, v])
        left[:, v] = -1
    return left
