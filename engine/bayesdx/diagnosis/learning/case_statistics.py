"""What the cases of one place say of the numbers, as sums: to be shared in place of cases.

The log probability of cases is a sum over cases, and so are its derivatives. Places that hand over
these sums, and nothing of a case, can be learned from together: `pooled_run.learn_pooled` asks
every place for its sums at the numbers that a search over all cases would look at, round after
round.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeVar

import numpy as np
from pydantic import ConfigDict, TypeAdapter, ValidationError

from bayesdx.building.number_chain import NumberChain
from bayesdx.building.perturbations import Mover
from bayesdx.errors import BayesdxError, Fault, Phrase
from bayesdx.frozen import PlainParts
from bayesdx.inference.noisy.model import FloatArray
from bayesdx.knowledge.learning_schema import Sample

#: A number of which fewer cases speak is not shared: too few people stand behind its sums.
LEAST_CASES = 5
_EXACTLY = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


@dataclass(frozen=True, repr=False)
class NextRound(PlainParts):
    """Numbers at which every place is asked for its sums.

    Attributes
    ----------
    computed_from : str
        Digest of the numbers, structure and constraints that are learned upon.
    sample : str
        How cases were chosen, which says what may move.
    steps : mapping of str to float
        How far numbers have moved from what is stated, in log-odds or the logarithm, by place;
        shares of a risk one by one. Those that are not named have not moved.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _EXACTLY
    computed_from: str
    sample: Sample
    steps: Mapping[str, float]
    kind: Literal["NextRound"] = "NextRound"


@dataclass(frozen=True, repr=False)
class SumsAt(PlainParts):
    """Sums over cases at some numbers.

    Attributes
    ----------
    steps : mapping of str to float
        As in `NextRound`.
    log_probability : float
        Of findings and labels of all cases.
    gradient : tuple of float (J,)
        Its derivatives by the numbers that are shared.
    information : tuple of tuples of float (J,)
        Lower triangle of the sum of the outer products of each case's derivatives.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _EXACTLY
    steps: Mapping[str, float]
    log_probability: float
    gradient: tuple[float, ...]
    information: tuple[tuple[float, ...], ...]
    kind: Literal["SumsAt"] = "SumsAt"


@dataclass(frozen=True, repr=False)
class CaseStatistics(PlainParts):
    """What the cases of one place say of the numbers.

    Attributes
    ----------
    computed_from, sample : str
        As in `NextRound`.
    cases, labelled : int
        Cases used, and those among them of whose causes something is known.
    numbers : tuple of str (J,)
        Those that are shared.
    suppressed : tuple of str
        Those of which fewer than ``least`` cases speak: they stay as they are for everybody.
    least : int
    points : tuple of SumsAt
        One a round, the first at the stated numbers.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _EXACTLY
    computed_from: str
    sample: Sample
    cases: int
    labelled: int
    numbers: tuple[str, ...]
    suppressed: tuple[str, ...]
    least: int
    points: tuple[SumsAt, ...]
    kind: Literal["CaseStatistics"] = "CaseStatistics"

    def __post_init__(self) -> None:
        rows = list(range(1, len(self.numbers) + 1))
        for one in self.points:
            if len(one.gradient) != len(rows) or [len(row) for row in one.information] != rows:
                raise ValueError("expected a derivative a number, and a triangle of products")

    def __repr__(self) -> str:
        return (
            f"<CaseStatistics: {self.cases} cases, {len(self.numbers)} numbers, "
            f"{len(self.points)} rounds>"
        )


Shared = TypeVar("Shared", NextRound, CaseStatistics)


def read_shared(kind: type[Shared], place: str, text: str | bytes) -> Shared:
    """Read the JSON of sums, or of a round.

    Raises
    ------
    BayesdxError
        With the place where it is not what it should be.
    """
    try:
        return TypeAdapter(kind).validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        expected = f"what `bayesdx learn` writes as {kind.__name__}"
        got = Phrase(f"{where}: {first['msg']}" if where else str(first["msg"]))
        raise BayesdxError(Fault(place, expected, got)) from None


def mover_name(mover: Mover) -> str:
    """Place of a number; of a share of a risk with its state."""
    state = f"[{mover.state}]" if mover.state >= 0 else ""
    return f"{mover.number.number.place}{state}"


def steps_of(chain: NumberChain, steps: Mapping[str, float]) -> FloatArray:
    """Steps (J,) of the numbers of a chain."""
    at = {mover_name(one): j for j, one in enumerate(chain.movers)}
    found = np.zeros(len(chain.movers))
    for name, step in steps.items():
        if name not in at:
            raise BayesdxError(Fault(name, "a number that may move", Phrase("one that may not")))
        found[at[name]] = step
    return found


def named_steps(chain: NumberChain, steps: FloatArray) -> dict[str, float]:
    """Steps that are not 0, by the name of their number."""
    return {mover_name(chain.movers[j]): float(steps[j]) for j in np.flatnonzero(steps)}
