"""What was learned from cases: the content of ``learned.toml``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bayesdx.knowledge.schema import Frozen, Names, Range

#: How the cases were chosen: one after the other as they came, or in a way that favours some.
Sample = Literal["consecutive", "selected"]
Shares = Annotated[tuple[float, ...], Field(strict=False)]


class LearnedNumber(Frozen):
    """A number before and after.

    Attributes
    ----------
    number : str
        Its place.
    before, after : float or tuple of float
        Stated (or calibrated), and learned.
    range_before, range_after : (float, float), optional
        About 90 % intervals.
    effective_cases : float
        People that the cases are worth to this number.
    moved : float
        In standard deviations of what was stated, in log-odds or the logarithm.
    """

    number: str
    before: float | Shares
    after: float | Shares
    range_before: Range | None = None
    range_after: Range | None = None
    effective_cases: float = Field(ge=0.0)
    moved: float


class Learning(Frozen):
    """The result of learning.

    Attributes
    ----------
    computed_from : str
        Digest of the numbers, structure and constraints that it was learned upon.
    cases, labelled : int
        Cases used, and those among them of whose causes something was known.
    sample : str
        How they were chosen; priors are learned from consecutive cases only.
    case_weight : float
        What each case counted as beside what was stated; 1 but where that was asked for.
    no_longer_hold : tuple of str
        Ids of constraints that held before.
    """

    computed_from: str
    cases: int = Field(ge=0)
    labelled: int = Field(ge=0)
    sample: Sample
    case_weight: float = Field(default=1.0, gt=0.0, le=1.0)
    no_longer_hold: Names = ()
    number: Annotated[tuple[LearnedNumber, ...], Field(strict=False)] = ()
