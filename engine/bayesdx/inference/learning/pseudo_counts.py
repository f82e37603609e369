"""A prior as imagined observations of every entry of a table."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from bayesdx.checked_numbers import is_real
from bayesdx.errors import Fault, InvalidNetwork, nearest_names
from bayesdx.inference.arrays import FloatArray
from bayesdx.inference.learning.network_parameters import NetworkParameters, last_row
from bayesdx.inference.learning.noisy_links import ParameterTable

#: What may be given: nothing, one number for all entries, "bdeu", or arrays by variable.
Prior = float | str | Mapping[str, ArrayLike] | None
BDEU = "bdeu"


def pseudo_counts(
    parameters: NetworkParameters, prior: Prior, equivalent_sample_size: float
) -> list[FloatArray]:
    """Imagined counts of every table, 0 where nothing is learnt and where a 0 stays 0.

    Parameters
    ----------
    parameters : NetworkParameters
    prior : None, float, "bdeu" or mapping of str to array
        See `bayesdx.CompiledNetwork.learn`.
    equivalent_sample_size : float
        For "bdeu": observations that each table shares out among its entries (Heckerman, Geiger
        and Chickering 1995).

    Returns
    -------
    list of array
        One a table, of its shape.

    Raises
    ------
    InvalidNetwork
        If it is no prior, or an array has the wrong shape; with every fault.
    """
    given, faults = _by_variable(parameters, prior)
    if prior == BDEU and not is_real(equivalent_sample_size, 1e-300):
        got = equivalent_sample_size
        faults.append(Fault("equivalent_sample_size", "a number above 0", got))
    if faults:
        raise InvalidNetwork(faults)
    found = []
    each = 0.0 if prior is None or isinstance(prior, str | Mapping) else float(prior)
    for table in parameters.tables:
        size = float(table.table.size)
        counts = np.full(
            table.table.shape, equivalent_sample_size / size if prior == BDEU else each
        )
        found.append(counts)
    for name, values in given.items():
        own = parameters.places[name]
        if name not in parameters.mechanisms:
            found[own[0]] = values.copy()
        else:
            for t, row in zip(own, values, strict=True):
                last_row(found[t])[:] = row
    return [_allowed(table, counts) for table, counts in zip(parameters.tables, found, strict=True)]


def _allowed(table: ParameterTable, counts: FloatArray) -> FloatArray:
    allowed: FloatArray = np.where(table.free[..., None] & (table.table > 0.0), counts, 0.0)
    return allowed


def _by_variable(
    parameters: NetworkParameters, prior: Prior
) -> tuple[dict[str, FloatArray], list[Fault]]:
    """Arrays that are given by variable; and what is wrong with a prior."""
    expected = f"None, a number of at least 0, {BDEU!r}, or arrays by variable"
    if prior is None or prior == BDEU or is_real(prior, 0.0):
        return {}, []
    if not isinstance(prior, Mapping):
        return {}, [Fault("prior", expected, prior)]
    faults: list[Fault] = []
    found: dict[str, FloatArray] = {}
    start = [table.table for table in parameters.tables]
    for name, values in prior.items():
        if name not in parameters.places:
            near = nearest_names(str(name), parameters.places)
            faults.append(Fault("prior", "a variable of the network", name, near))
            continue
        shape = parameters.shown(name, start).shape
        try:
            counts = np.array(values, dtype=np.float64)
        except (TypeError, ValueError):
            faults.append(Fault(f"prior of {name}", f"numbers of shape {shape}", values))
            continue
        if counts.shape != shape:
            faults.append(
                Fault(f"prior of {name}", f"an array of shape {shape}", f"shape {counts.shape}")
            )
        elif not np.isfinite(counts).all() or (counts < 0.0).any():
            faults.append(
                Fault(f"prior of {name}", "finite numbers of at least 0", counts.tolist())
            )
        found[str(name)] = counts
    return found, faults
