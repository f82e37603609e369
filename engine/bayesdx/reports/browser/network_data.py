"""The numbers of a compiled network as plain values, for a page that computes with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bayesdx.diagnosis.shortlist import symptom_weights

if TYPE_CHECKING:
    from bayesdx.diagnosis.core import Core
    from bayesdx.inference.arrays import FloatArray
    from bayesdx.inference.noisy.model import NoisyModel

Plain = dict[str, Any]

#: Significant digits of a number that was computed; two more would double what it says of itself.
DIGITS = 15


def network_data(core: Core, names: list[str]) -> Plain:
    """Return what the page needs to compute posteriors, exactly as the engine has it.

    Every float has `DIGITS` decimal digits: it reads back within four units of its last place.
    Positions are those of `NoisyModel`; cause tables hold each distinct probability once
    (``values``, by first use) and where it stands (``at``, the last risk fastest).

    Parameters
    ----------
    core : Core
    names : list of str
        Ids stand in the data as positions in this list.

    Returns
    -------
    dict
        ``risks``, ``causes``, ``findings``, ``ordinals``, ``groups`` and ``shown``: causes as
        people see them, with their position in the model, -1 for what is excluded.
    """
    model = core.model
    positions = dict(zip(core.columns.tolist(), core.modelled.tolist(), strict=True))
    causes = core.knowledge.causes
    found = {
        "findings": _findings(core, names),
        "ordinals": _ordinals(core, names),
        "causes": [
            {"risks": list(parents), **_table(table)}
            for parents, table in zip(model.cause_parents, model.cause_tables, strict=True)
        ],
        "risks": [
            {"id": names.index(name), "prior": prior.tolist()}
            for name, prior in zip(model.risks, model.risk_priors, strict=True)
        ],
        "groups": [
            {
                "id": group.id,
                "label": group.label,
                "kind": group.kind,
                "members": list(model.groups[f"group:{group.id}"]),
                "prior": prior,
            }
            for group, prior in zip(
                core.knowledge.groups.values(), core.prior_groups[:-1].tolist(), strict=True
            )
        ],
        "unexplained": float(core.prior[-1]),
        "shown": [
            {
                "id": names.index(name),
                "label": causes[name].label,
                "description": causes[name].description,
                "at": positions.get(row, -1),
                "prior": float(core.prior[row]),
            }
            for row, name in enumerate(core.causes)
        ],
    }
    return {name: _shorter(part) for name, part in found.items()}


def _shorter(part: Any) -> Any:
    """Return plain values with floats of `DIGITS` digits."""
    if isinstance(part, dict):
        return {name: _shorter(one) for name, one in part.items()}
    if isinstance(part, list):
        return [_shorter(one) for one in part]
    return float(f"{part:.{DIGITS}g}") if isinstance(part, float) else part


def _table(table: FloatArray) -> Plain:
    cells = table.ravel().tolist()
    places = {value: at for at, value in enumerate(dict.fromkeys(cells))}
    return {"values": list(places), "at": [places[value] for value in cells]}


def _findings(core: Core, names: list[str]) -> list[Plain]:
    model, links = core.model, core.model.links
    weights = core.once(symptom_weights).tolist()
    return [
        {
            "id": names.index(name),
            "leak": float(links.leak[f]),
            "causes": np.flatnonzero(links.strength[:, f]).tolist(),
            "strengths": links.strength[links.strength[:, f] > 0.0, f].tolist(),
            "inhibitors": np.flatnonzero(links.factor[:, f] < 1.0).tolist(),
            "factors": links.factor[links.factor[:, f] < 1.0, f].tolist(),
            "weight": weights[f],
        }
        for f, name in enumerate(model.findings)
    ]


def _ordinals(core: Core, names: list[str]) -> list[Plain]:
    model, links = core.model, core.model.links
    weights = core.once(symptom_weights)
    found = []
    for o, name in enumerate(model.ordinals):
        size, first = model.ordinal_sizes[o], model.level_offset[o]
        exceed = links.exceed[:, first : first + size - 1]
        acting = np.flatnonzero((exceed > 0.0).any(axis=1))
        found.append(
            {
                "id": names.index(name),
                "leak": links.exceed_leak[first : first + size - 1].tolist(),
                "causes": acting.tolist(),
                "exceed": exceed[acting].tolist(),
                "thresholds": _thresholds(core, name, names),
                # By the lowest and the highest level that fit; nothing where no level is needed.
                "weights": [
                    [_weight(model, weights, o, low, high) for high in range(size)]
                    for low in range(size)
                ],
            }
        )
    return found


def _weight(model: NoisyModel, weights: FloatArray, o: int, low: int, high: int) -> float:
    axis = int(model.axes.exceed[o, low, high])
    return float(weights[axis]) if axis >= 0 else 0.0


def _thresholds(core: Core, ordinal: str, names: list[str]) -> list[list[int]]:
    """Findings "at least a level", each with the position of the level."""
    states = core.knowledge.findings[ordinal].states
    return [
        [names.index(finding.id), states.index(finding.at_least or "")]
        for finding in core.knowledge.findings.values()
        if finding.threshold_of == ordinal
    ]
