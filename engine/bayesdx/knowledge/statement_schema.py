"""What the documents say, what the model has to answer because of it, and what calibration moved.

Three files: ``statements.toml`` holds every clinical statement of the documents and the conflicts
between them; ``constraints.toml`` those that the model's *answers* must satisfy, with their
condition; ``calibration.toml`` the numbers that had to move for it, and from what they were
computed.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from bayesdx.frozen import FrozenDict
from bayesdx.knowledge.schema import PRESENT, Frozen, Names, Range

StatementKind = Literal[
    "prior",
    "risk_factor",
    "cause",
    "mechanism",
    "finding",
    "course",
    "exam_or_test",
    "population",
    "pitfall",
    "diagnostic_strategy",
    "red_flag",
    "treatment",
    "conflict",
]


class Reading(Frozen):
    """What one statement alone would say for a number of the model.

    Attributes
    ----------
    number : str
        Place of the number, such as ``causes/ms.toml:links.spasticity``.
    value : float
        Its value if nothing but this statement were known.
    """

    number: str
    value: float = Field(ge=0.0)


class Statement(Frozen):
    """One clinical statement, in our own words.

    Attributes
    ----------
    document : str
        Key of ``sources.toml``; ``X`` for a conflict.
    section : str
    kind : str
    says : str
        The statement.
    strength : str
        How the document hedges it, or its number.
    denominator : str
        Of whom it speaks.
    realised_by : tuple of str
        Places of the numbers, questions, rules, texts and constraints that carry it.
    excluded : str
        Why nothing carries it.
    lowers, unmoved : tuple of str
        Places of numbers whose finding or risk makes the cause less likely, or neither, by what it
        says; by all others more likely.
    given : mapping of str to str
        What is known besides, in the context that it speaks of.
    contradicted : str
        Why the model answers otherwise, where the evidence speaks against the statement.
    evidence : tuple of str
        Sources of that.
    readings : tuple of Reading
    note : str
        How it was read.
    """

    id: str
    document: str
    section: str = Field(min_length=1)
    kind: StatementKind
    says: str = Field(min_length=1)
    strength: str
    denominator: str = Field(min_length=1)
    realised_by: Names = ()
    excluded: str = ""
    lowers: Names = ()
    unmoved: Names = ()
    given: Annotated[dict[str, str], AfterValidator(FrozenDict)] = Field(default_factory=FrozenDict)
    contradicted: str = ""
    evidence: Names = ()
    readings: Annotated[tuple[Reading, ...], Field(strict=False)] = ()
    note: str = ""

    @model_validator(mode="after")
    def _names_its_evidence(self) -> Statement:
        if bool(self.contradicted) != bool(self.evidence):
            raise ValueError("expected contradicted and evidence together, got one of them.")
        if self.contradicted and self.excluded:
            raise ValueError("expected contradicted or excluded, got both.")
        return self


class Constraint(Frozen):
    """What an answer of the model has to be.

    It speaks of P(event | given), where `event` is a cause, a group, a finding or a risk (present,
    or ``name:state|state``) and `given` are states of findings and risks. Exactly one of
    `between`, `at_least_as_likely_as` and `rises_from` says what must hold.

    Attributes
    ----------
    statements : tuple of str
        The statements that demand it.
    hard : bool
        Whether it must hold; a soft one may be given up where it cannot hold beside the others.
    between : (float, float), optional
        Bounds of the probability.
    at_least_as_likely_as : tuple of str
        Events that must not be more probable under the same condition.
    rises_from : mapping of str to str, optional
        Another condition, under which the same event must not be more probable.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    statements: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    hard: bool
    event: str
    given: Annotated[dict[str, str], AfterValidator(FrozenDict)] = Field(default_factory=FrozenDict)
    between: Range | None = None
    at_least_as_likely_as: Names = ()
    rises_from: Annotated[dict[str, str], AfterValidator(FrozenDict)] | None = None
    note: str = ""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Constraint:
        said = (
            self.between is not None,
            bool(self.at_least_as_likely_as),
            self.rises_from is not None,
        )
        if sum(said) != 1:
            raise ValueError(
                "expected one of between, at_least_as_likely_as and rises_from, "
                f"got {sum(said)} of them."
            )
        if self.between is not None and not 0.0 <= self.between[0] <= self.between[1] <= 1.0:
            raise ValueError(
                f"expected bounds [low, high] from 0 to 1, got {list(self.between)!r}."
            )
        if self.between == (0.0, 1.0):
            raise ValueError("expected bounds that leave something out, got [0.0, 1.0].")
        if self.rises_from is not None and dict(self.rises_from) == dict(self.given):
            raise ValueError("expected another condition than given in rises_from, got the same.")
        return self


class Move(Frozen):
    """A number that calibration moved.

    Attributes
    ----------
    number : str
        Its place.
    elicited, calibrated : float
    constraint : str
        Id of the constraint that moved it most.
    """

    number: str
    elicited: float
    calibrated: float = Field(gt=0.0, lt=1.0)
    constraint: str


class GivenUp(Frozen):
    """A soft constraint that cannot hold beside others.

    Attributes
    ----------
    constraint : str
    conflict : tuple of str
        Ids of the constraints of the smallest conflict found, this one included.
    statements : tuple of str
        Their statements.
    limits : tuple of str
        Places of the numbers whose stated ranges stand in the way.
    """

    constraint: str
    conflict: Names
    statements: Names
    limits: Names = ()


class Calibration(Frozen):
    """The result of calibration, reviewed and committed.

    Attributes
    ----------
    computed_from : str
        Digest of the numbers, structure and constraints that it was computed from.
    """

    computed_from: str
    move: Annotated[tuple[Move, ...], Field(strict=False)] = ()
    given_up: Annotated[tuple[GivenUp, ...], Field(strict=False)] = ()


def read_event(event: str) -> tuple[str, tuple[str, ...]]:
    """Take the event of a constraint apart: its subject and the states that count.

    A cause or group has no states here; ``present`` stands for it, as for a finding.
    """
    subject, colon, states = event.partition(":")
    return subject, tuple(states.split("|")) if colon else (PRESENT,)
