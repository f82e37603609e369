"""A snapshot of the knowledge, of real size, that stays as it is while the packaged one deepens."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from bayesdx.inference import NoisyModel, compile_diagnosis
from bayesdx.network import (
    CPD,
    AnyOfCPD,
    Network,
    NoisyMaxCPD,
    NoisyOrCPD,
    TableCPD,
    Variable,
)


def _parents(links: dict[str, Any]) -> tuple[tuple[str, ...], np.ndarray]:
    return tuple(links), np.array([*links.values()])


def snapshot_network() -> Network:
    """30 risks, 58 causes, 96 findings and 3 ordinals with 413 links, 13 groups."""
    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    given = tomllib.loads(text)
    cpds: list[CPD] = [
        TableCPD(name, (), np.array(risk["prior"])) for name, risk in given["risks"].items()
    ]
    for name, cause in given["causes"].items():
        present = np.array(cause["present"])
        table = np.stack([1.0 - present, present], axis=-1)
        cpds.append(TableCPD(name, tuple(cause.get("given", ())), table))
    for name, finding in given["findings"].items():
        raised, lowered = (_parents(finding.get(key, {})) for key in ("raised_by", "lowered_by"))
        cpds.append(NoisyOrCPD(name, *raised, finding["leak"], *lowered))
    for name, ordinal in given["ordinals"].items():
        cpds.append(NoisyMaxCPD(name, *_parents(ordinal["raised_by"]), np.array(ordinal["leak"])))
    cpds += [AnyOfCPD(name, tuple(members)) for name, members in given["groups"].items()]
    sizes = {name: len(risk["prior"]) for name, risk in given["risks"].items()}
    sizes |= {name: len(ordinal["leak"]) + 1 for name, ordinal in given["ordinals"].items()}
    variables = [
        Variable(cpd.child, tuple(f"s{i}" for i in range(sizes.get(cpd.child, 2)))) for cpd in cpds
    ]
    return Network(variables, cpds)


def snapshot_model() -> NoisyModel:
    """The same, compiled."""
    return compile_diagnosis(snapshot_network())
