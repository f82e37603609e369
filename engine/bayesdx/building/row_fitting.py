"""The fit of `bayesdx.building.fitting` for one event under many sets of stated numbers.

Rows are sets of numbers here, not events: each is solved by the same rounds as in an assembly, and
leaves the loop when it has settled. Most do after 50 to 70 rounds, a few, whose leak is about to
reach its floor, take hundreds; together they would all take as many.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from bayesdx.building.fitting import (
    LinkParameters,
    Rates,
    Targets,
    first_guess,
    independent_rates,
    update,
)
from bayesdx.inference.noisy.model import BoolArray, FloatArray

_ROUNDS = 1000
_CHECK_EVERY = 8
_SETTLED = 1e-15
#: Rows solved together: few enough for their arrays to stay in cache.
_ROWS_AT_ONCE = 256


def solve_rows(
    targets: Targets, ratio: Rates, start: LinkParameters | None = None
) -> LinkParameters:
    """Solve for the parameters of every row by itself.

    Parameters
    ----------
    targets : Targets
        Of E rows; its ``prior`` is (E, C) here, one set of priors a row.
    ratio : Rates
        See `fitting.solve`; arrays (E, C).
    start : LinkParameters, optional
        Where to begin.

    Returns
    -------
    LinkParameters
        A row does not depend on the other rows, nor on how many there are.
    """
    strength, factor = np.zeros_like(targets.stated), np.ones_like(targets.stated)
    leak = np.zeros_like(targets.background)
    for first in range(0, len(leak), _ROWS_AT_ONCE):
        part = slice(first, first + _ROWS_AT_ONCE)
        rows = _taken(targets, part)
        guess = first_guess(rows) if start is None else _parameters(start, part)
        done = _solve_block(rows, Rates(ratio.present[part], ratio.absent[part]), guess)
        strength[part], factor[part], leak[part] = done.strength, done.factor, done.leak
    return LinkParameters(strength, factor, leak)


def _solve_block(targets: Targets, ratio: Rates, p: LinkParameters) -> LinkParameters:
    result = LinkParameters(p.strength.copy(), p.factor.copy(), p.leak.copy())
    rows = np.arange(len(p.leak))
    for count in range(1, _ROUNDS + 1):
        new = update(targets, p, independent_rates(targets, p), ratio)
        if count % _CHECK_EVERY and count != _ROUNDS:
            p = new
            continue
        moving = _change(new, p) >= _SETTLED
        done = ~moving if count != _ROUNDS else np.ones_like(moving)
        result.strength[rows[done]] = new.strength[done]
        result.factor[rows[done]] = new.factor[done]
        result.leak[rows[done]] = new.leak[done]
        rows = rows[moving]
        if not len(rows):
            break
        p = _parameters(new, moving)
        targets = _taken(targets, moving)
        ratio = Rates(ratio.present[moving], ratio.absent[moving])
    return result


def _change(new: LinkParameters, old: LinkParameters) -> FloatArray:
    """Largest change of any parameter of each row, (E,)."""
    links = np.maximum(np.abs(new.strength - old.strength), np.abs(new.factor - old.factor))
    return np.asarray(np.maximum(links.max(axis=1, initial=0.0), np.abs(new.leak - old.leak)))


def _taken(targets: Targets, rows: slice | BoolArray) -> Targets:
    return Targets(**{field.name: getattr(targets, field.name)[rows] for field in fields(targets)})


def _parameters(p: LinkParameters, rows: slice | BoolArray) -> LinkParameters:
    return LinkParameters(p.strength[rows], p.factor[rows], p.leak[rows])
