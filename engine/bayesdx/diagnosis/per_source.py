"""The documents as rivals: what each source alone would answer, and how far that is from the model.

The distance of two answers to a case is the sum over causes of the Jensen-Shannon divergence of the
two Bernoulli posteriors, in bits. It is symmetric, finite also where one side says 0, 0 only where
all posteriors agree, and at most 1 a cause; and since causes may be present together, it treats
each as a question of its own. It is largest where sources disagree on what is likely: 0.5 against
0.9 counts, 0.0001 against 0.001 hardly.

A reading is taken as it stands, whatever the people of whom its document speaks. These are readings
of documents, not opinions on a patient.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import entr

from bayesdx.building.assembly import Assembly, assemble
from bayesdx.building.source_models import (
    LITERATURE,
    LeftOut,
    SourceModel,
    SourceNumber,
    model_numbers,
    source_models,
)
from bayesdx.diagnosis.case_faults import RowNames
from bayesdx.diagnosis.cases import CaseReader
from bayesdx.diagnosis.source_influence import Influences, find_influences
from bayesdx.diagnosis.values import WORDS, Words
from bayesdx.errors import NOTHING, Fault, InvalidCase, InvalidKnowledge, nearest_names
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.model import BoolArray, FloatArray
from bayesdx.inference.noisy.query import posteriors
from bayesdx.knowledge.knowledge import Knowledge

__all__ = [
    "LITERATURE",
    "MODEL",
    "Comparison",
    "LeftOut",
    "SourceModel",
    "SourceNumber",
    "compare",
    "distance",
    "source_models",
]

MODEL = "model"
#: Columns of `Comparison.cases`.
COLUMNS = (
    *("case", "rival", "possible", "first_cause", "first_posterior", "first_in_model"),
    *("model_first_cause", "model_first_posterior", "first_differs"),
    *("largest_cause", "largest_model", "largest_rival", "distance"),
)


@dataclass(frozen=True, eq=False)
class Comparison:
    """What every source alone would answer to some cases, beside the model.

    Attributes
    ----------
    rivals : tuple of SourceModel
    posteriors : DataFrame
        One row a case and source (``model`` first), one column a modelled cause; missing where the
        case cannot occur under the source.
    cases : DataFrame
        One row a case and rival: ``first_cause`` and its ``first_posterior`` under the rival with
        ``first_in_model``, ``model_first_cause`` and ``model_first_posterior``, ``first_differs``;
        ``largest_cause``, the cause whose posterior differs most, with ``largest_model`` and
        ``largest_rival``; ``distance`` from the model. Missing where the case cannot occur under
        the rival or the model (``possible``).
    pairs : DataFrame
        One row a case and pair of rivals: ``case``, ``rival``, ``other``, ``distance``.
    summary : DataFrame
        By rival: ``title``, ``numbers`` put in, ``left_out``, ``cases`` that could be compared,
        ``mean_distance``, ``maximum_distance``, ``farthest_case``, ``first_differs`` (how often).
    explained : DataFrame
        By rival, the case and cause whose difference is explained: ``case``, ``cause``, ``model``,
        ``posterior``, and how many statements ``bearing`` on it were ``computed``.
    statements : DataFrame
        The statements behind it: ``rival``, ``case``, ``cause``, ``statements``, ``numbers``,
        ``posterior``, ``without`` and ``change`` (the first minus the second), by falling size.
    """

    rivals: tuple[SourceModel, ...]
    posteriors: pd.DataFrame
    cases: pd.DataFrame
    pairs: pd.DataFrame
    summary: pd.DataFrame
    explained: pd.DataFrame
    statements: pd.DataFrame


@dataclass(frozen=True, eq=False)
class _Side:
    """One source with its network and its answers; posteriors are NaN where impossible."""

    name: str
    assembly: Assembly
    evidence: Evidence
    posterior: FloatArray


def distance(one: FloatArray, other: FloatArray) -> FloatArray:
    """Sum the Jensen-Shannon divergences of Bernoulli posteriors, in bits.

    Parameters
    ----------
    one, other : array (..., C)
        Posteriors of C causes.

    Returns
    -------
    array (...)
    """
    between = _entropy((one + other) / 2.0) - (_entropy(one) + _entropy(other)) / 2.0
    result: FloatArray = np.maximum(between, 0.0).sum(axis=-1)
    return result


def _entropy(p: FloatArray) -> FloatArray:
    result: FloatArray = (entr(p) + entr(1.0 - p)) / np.log(2.0)
    return result


def compare(
    knowledge: Knowledge,
    cases: pd.DataFrame,
    case: Hashable | None = None,
    rows: RowNames = None,
    words: Words = WORDS,
) -> Comparison:
    """Answer cases under every source alone, and say which of its statements make the difference.

    Parameters
    ----------
    knowledge : Knowledge
    cases : DataFrame
        One row a case, as for `Engine.score`; the index names the cases.
    case : label of the index, optional
        The case whose differences are traced to statements; without it, for each rival the one
        with the largest distance.
    rows, words
        How cells are called in faults, and written; as for `CaseReader.read`.

    Raises
    ------
    InvalidCase
        If a case cannot be read, or there is no such case.
    InvalidKnowledge
        If the knowledge holds no statements of documents.
    """
    _check(knowledge, cases, case)
    base = model_numbers(knowledge)
    causes = [name for name, cause in base.causes.items() if cause.kind == "cause"]
    rivals = source_models(knowledge)
    if rows is None and len(cases) > 1:
        rows = range(len(cases))
    columns = {name: cases[name].array for name in cases.columns}

    def read(side: Knowledge, assembly: Assembly) -> Evidence:
        return CaseReader(side, assembly.model).read(columns, len(cases), rows, words).evidence

    assembly = assemble(base)
    model = _side(MODEL, assembly, read(base, assembly), causes)
    sides = [_rival_side(rival, model, read, causes) for rival in rivals]
    table = pd.concat([_compared(model, side, cases.index, causes) for side in sides])
    explained, statements = [], []
    for rival, side in zip(rivals, sides, strict=True):
        own = table[table["rival"] == side.name]
        row = _row_to_explain(own, cases.index, case)
        if row is not None:
            at = own.iloc[row].to_dict()
            evidence = side.evidence.take(slice(row, row + 1))
            cause = str(at["largest_cause"])
            found = find_influences(base, rival, side.assembly, evidence, cause)
            explained.append(_explained(at, found))
            statements += _statement_rows(at, found)
    by_case = np.argsort(np.tile(np.arange(len(cases)), len(sides)), kind="stable")
    return Comparison(
        rivals=rivals,
        posteriors=_posterior_table([model, *sides], cases.index, causes),
        cases=table.iloc[by_case].reset_index(drop=True),
        pairs=_pairs(sides, cases.index),
        summary=_summary(rivals, table),
        explained=pd.DataFrame(explained, columns=_EXPLAINED).set_index("rival"),
        statements=pd.DataFrame(statements, columns=_STATEMENTS),
    )


_EXPLAINED = ["rival", "case", "cause", "model", "posterior", "bearing", "computed"]
_STATEMENTS = [
    "rival",
    "case",
    "cause",
    "statements",
    "numbers",
    "posterior",
    "without",
    "change",
]


def _check(knowledge: Knowledge, cases: pd.DataFrame, case: Hashable | None) -> None:
    if not knowledge.statements:
        raise InvalidKnowledge(Fault("statements.toml", "statements of documents", NOTHING))
    if cases.columns.has_duplicates:
        names = cases.columns[cases.columns.duplicated()].unique()
        raise InvalidCase([Fault("columns", "each column once", str(name)) for name in names])
    if len(cases) == 0:
        raise InvalidCase(Fault("cases", "one case or more", NOTHING))
    if case is not None and case not in cases.index:
        near = nearest_names(str(case), map(str, cases.index))
        raise InvalidCase(Fault("case", "a case of the table", case, near))


def _side(name: str, assembly: Assembly, evidence: Evidence, causes: list[str]) -> _Side:
    answer = posteriors(assembly.model, evidence).complete()
    posterior = answer.causes[:, [assembly.model.causes.index(one) for one in causes]]
    posterior[~answer.possible] = np.nan
    return _Side(name, assembly, evidence, posterior)


def _rival_side(
    rival: SourceModel,
    model: _Side,
    read: Callable[[Knowledge, Assembly], Evidence],
    causes: list[str],
) -> _Side:
    if not rival.numbers:
        # The same numbers: the same network, and no rounding between them.
        return _Side(rival.id, model.assembly, model.evidence, model.posterior)
    assembly = assemble(rival.knowledge, model.assembly.links)
    return _side(rival.id, assembly, read(rival.knowledge, assembly), causes)


def _compared(model: _Side, side: _Side, labels: pd.Index, causes: list[str]) -> pd.DataFrame:
    """One row a case."""
    rows = np.arange(len(labels))
    apart = distance(model.posterior, side.posterior)
    possible: BoolArray = ~np.isnan(apart)
    names = np.array(causes, dtype=object)
    first, model_first, largest = (
        np.nan_to_num(values, nan=-1.0).argmax(axis=1)
        for values in (side.posterior, model.posterior, np.abs(side.posterior - model.posterior))
    )
    table = pd.DataFrame(
        {
            "case": labels,
            "rival": side.name,
            "possible": possible,
            "first_cause": names[first],
            "first_posterior": side.posterior[rows, first],
            "first_in_model": model.posterior[rows, first],
            "model_first_cause": names[model_first],
            "model_first_posterior": model.posterior[rows, model_first],
            "first_differs": first != model_first,
            "largest_cause": names[largest],
            "largest_model": model.posterior[rows, largest],
            "largest_rival": side.posterior[rows, largest],
            "distance": apart,
        },
        columns=list(COLUMNS),
    )
    table.loc[~possible, ["first_cause", "model_first_cause", "largest_cause"]] = ""
    table.loc[~possible, "first_differs"] = False
    return table


def _row_to_explain(table: pd.DataFrame, labels: pd.Index, case: Hashable | None) -> int | None:
    """Position of the case whose difference is explained; None where there is no difference."""
    apart = np.nan_to_num(table["distance"].to_numpy(dtype=float), nan=0.0)
    row = int(apart.argmax()) if case is None else int(np.flatnonzero(labels == case)[0])
    return row if apart[row] > 0.0 else None


def _explained(at: Mapping[Hashable, Any], found: Influences) -> list[object]:
    return [
        at["rival"],
        at["case"],
        at["largest_cause"],
        at["largest_model"],
        found.posterior,
        found.bearing,
        len(found.computed),
    ]


def _statement_rows(at: Mapping[Hashable, Any], found: Influences) -> list[list[object]]:
    return [
        [
            at["rival"],
            at["case"],
            at["largest_cause"],
            one.statements,
            one.numbers,
            found.posterior,
            one.without,
            found.posterior - one.without,
        ]
        for one in found.computed
    ]


def _posterior_table(sides: list[_Side], labels: pd.Index, causes: list[str]) -> pd.DataFrame:
    values = np.stack([side.posterior for side in sides], axis=1).reshape(-1, len(causes))
    index = pd.MultiIndex.from_arrays(
        [labels.repeat(len(sides)), [side.name for side in sides] * len(labels)],
        names=["case", "source"],
    )
    return pd.DataFrame(values, index=index, columns=causes)


def _pairs(sides: list[_Side], labels: pd.Index) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "case": labels,
                "rival": one.name,
                "other": other.name,
                "distance": distance(one.posterior, other.posterior),
            }
        )
        for i, one in enumerate(sides)
        for other in sides[i + 1 :]
    ]
    columns = ["case", "rival", "other", "distance"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _summary(rivals: tuple[SourceModel, ...], table: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for rival in rivals:
        own = table[table["rival"] == rival.id].reset_index(drop=True)
        apart = own.loc[own["possible"], "distance"]
        rows.append(
            {
                "rival": rival.id,
                "title": rival.title,
                "numbers": len(rival.numbers),
                "left_out": len(rival.left_out),
                "cases": len(apart),
                "mean_distance": apart.mean(),
                "maximum_distance": apart.max(),
                "farthest_case": own.loc[apart.idxmax(), "case"] if len(apart) else None,
                "first_differs": int(own["first_differs"].sum()),
            }
        )
    return pd.DataFrame(rows).set_index("rival")
