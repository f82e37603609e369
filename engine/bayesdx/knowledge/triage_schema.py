"""The shape of the triage table: how much worse a miss is than a false alarm.

A ratio of 20 says that missing the cause is as bad as twenty false alarms. It stands for the
levels emergency, urgent and soon, and for single causes whose level fits them badly. Nothing here
knows which causes exist; `bayesdx.knowledge.constraint_links` compares the names, and
`bayesdx.diagnosis.triage` applies the table.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field

from bayesdx.frozen import FrozenDict
from bayesdx.knowledge.red_flag_schema import Basis
from bayesdx.knowledge.schema import Frozen, Names

TriageLevel = Literal["emergency", "urgent", "soon"]

TRIAGE_LEVELS: tuple[TriageLevel, ...] = get_args(TriageLevel)
"""The levels that a posterior can call for, the most pressing first."""


def _checked_ratio(ratio: float) -> float:
    if ratio <= 0.0:
        raise ValueError(f"expected a ratio above 0, got {ratio!r}.")
    return ratio


def _checked_levels(ratios: dict[str, float]) -> dict[str, float]:
    if ratios.keys() != set(TRIAGE_LEVELS):
        raise ValueError(
            f"expected one ratio each for {', '.join(TRIAGE_LEVELS)}, "
            f"got {', '.join(ratios) or 'none'}."
        )
    return ratios


Ratio = Annotated[float, AfterValidator(_checked_ratio)]


class Triage(Frozen):
    """Losses by which a posterior calls for action.

    Attributes
    ----------
    basis : str
        How well the ratios are supported.
    sources : tuple of str
        Keys of ``priors/sources.toml``.
    statements : tuple of str
        Ledger ids of the statements that the ratios rest on.
    note : str
        Anything a reader should know.
    loss_ratio : mapping of str to float
        By the urgency of the cause: the loss of a miss in units of one false alarm.
    causes : mapping of str to float
        The same for single causes; replaces the ratio of their level.
    """

    basis: Basis
    sources: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    statements: Names = ()
    note: str = ""
    loss_ratio: Annotated[
        dict[str, Ratio], AfterValidator(_checked_levels), AfterValidator(FrozenDict)
    ]
    causes: Annotated[dict[str, Ratio], AfterValidator(FrozenDict)] = Field(
        default_factory=FrozenDict
    )


def threshold(ratio: float) -> float:
    """Return the probability from which acting loses no more than waiting.

    Parameters
    ----------
    ratio : float
        The loss of a miss in units of one false alarm, above 0.

    Returns
    -------
    float
        ``1 / (1 + ratio)``; `bayesdx.diagnosis.triage` derives it.
    """
    return 1.0 / (1.0 + ratio)
