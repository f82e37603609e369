"""The shape of everything in a priors folder.

The models say which keys there are and of which kind their values are; nothing here knows about
other files, and probabilities outside (0, 1) pass. `values` and `linking` look at that, so that one
reading reports every fault.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bayesdx.frozen import FrozenDict
from bayesdx.knowledge.red_flag_schema import Basis, Leaf, Level

BASES: tuple[Basis, ...] = get_args(Basis)

BASIS_WORDS: Mapping[Basis, str] = MappingProxyType(
    {
        "SEEN": "seen: the figure itself was read in the source",
        "SEEN-ADAPTED": "seen, adapted: a figure that was read, re-based to this population",
        "RECALL": "recalled: known from the literature, not re-read",
        "SEED": "seed: number or wording of the original documents",
        "JUDGEMENT": "judgement: elicited; the source at most gives the direction",
    }
)
"""What each basis means, spelled out."""

EffectMeasure = Literal["relative_risk", "odds_ratio", "likelihood_ratio", "case_share"]
Parameterisation = Literal["in_population", "alone", "net"]
Observer = Literal["patient", "examiner", "laboratory", "imaging"]

COMPARISON = re.compile(r"(<=|>=|<|>)\s*(-?[0-9]+(?:\.[0-9]+)?)")
"""How `Setting.present` is written."""

SHARE_KEY = "prior.primary_share"
"""Where `primary_share` is held while a cause is read: in the file it stands with the prior."""

ABSENT = "absent"
PRESENT = "present"


# TOML knows lists only; strict tuples would refuse them.
Text = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[str, ...], Field(strict=False)]
Leaves = Annotated[tuple[Leaf, ...], Field(strict=False)]
HpoIds = Annotated[tuple[Annotated[str, Field(pattern=r"^HP:[0-9]{7}$")], ...], Field(strict=False)]
Range = Annotated[tuple[float, float], Field(strict=False)]


class Frozen(BaseModel):
    """Base of all models: read-only, no unknown keys, no conversions."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True
    )


class Stated(Frozen):
    """What stands behind a number.

    Attributes
    ----------
    range : (float, float), optional
        About a 90 % interval.
    basis : str
        How well the number is supported; `BASIS_WORDS` spells it out.
    source : str
        Key of ``sources.toml``.
    statements : tuple of str
        Ids of the statements in the ledger that the number rests on.
    note : str
        Anything a reader should know.
    """

    range: Range | None = None
    basis: Basis
    source: str
    statements: Names = ()
    note: str = ""


class Number(Stated):
    """A value with its range, support and denominator (the population it is a share of)."""

    value: float
    denominator: str


class Prevalence(Stated):
    """How common the states of a risk are in the reference population.

    `value` is P(present) of a risk that is absent or present, or one probability a state.
    """

    value: float | Annotated[tuple[float, ...], Field(strict=False)]
    denominator: str


class Condition(Frozen):
    """A risk is in one of the named states."""

    risk: str
    states: Names = (PRESENT,)


class Effect(Stated):
    """How a risk changes the probability of a cause.

    The effect acts once when any of its conditions holds. `measure` says what `value` is: a
    relative risk, an odds ratio, a likelihood ratio P(condition | cause) / P(condition | no cause),
    or the share of cases, P(condition | cause).
    """

    any_of: Annotated[tuple[Condition, ...], Field(strict=False)]
    measure: EffectMeasure
    value: float


class Link(Stated):
    """How often a cause shows a finding.

    `parameterisation` says what `probability` is: P(finding | cause) in the reference population
    with every other cause at its own prior (``in_population``), with this cause alone but including
    the leak (``alone``), or the strength of the noisy-OR link itself (``net``).
    """

    probability: float
    parameterisation: Parameterisation


class Cause(Frozen):
    """A cause, an excluded diagnosis, or the leak: what no modelled cause explains.

    `icd10` are codes of ICD-10-CM; one that ends with ``-`` needs further characters.
    """

    id: str
    label: Text
    kind: Literal["cause", "excluded", "leak"]
    icd10: Names = ()
    urgency: Level | None = None
    urgency_note: str = ""
    dangerous: bool = False
    aliases_lay: Names = ()
    aliases_professional: Names = ()
    description: str
    reason: str = ""
    prior: Number | None = None
    primary_share: float | None = Field(default=None, validation_alias=SHARE_KEY)
    requires: Annotated[tuple[Condition, ...], Field(strict=False)] = ()
    requires_source: str | None = None
    requires_statements: Names = ()
    effects: Annotated[tuple[Effect, ...], Field(strict=False)] = ()
    links: Annotated[dict[str, Link], AfterValidator(FrozenDict)] = Field(
        default_factory=FrozenDict
    )

    @model_validator(mode="before")
    @classmethod
    def _take_primary_share_out_of_prior(cls, raw: Any) -> Any:
        # In the file the share stands with the prior, where a clinician compares the two; it is no
        # part of a number, and the leak has a share but no prior.
        if isinstance(raw, dict) and isinstance(prior := raw.get("prior"), dict):
            raw = dict(raw)
            number = {key: value for key, value in prior.items() if key != "primary_share"}
            raw.pop("prior")
            if number:
                raw["prior"] = number
            if "primary_share" in prior:
                raw[SHARE_KEY] = prior["primary_share"]
        return raw


class BackgroundEffect(Stated):
    """How the background of a finding depends on risks; all conditions of `when` must hold.

    ``probability``: the background is `value` where they hold, and elsewhere what keeps the overall
    background. ``zero_otherwise``: the finding cannot occur where they do not hold.
    """

    when: Annotated[dict[str, Names], AfterValidator(FrozenDict)]
    measure: Literal["probability", "zero_otherwise"]
    value: float | None = None


class Code(NamedTuple):
    """A code in a system, with what the system calls it where that is known."""

    system: str
    code: str
    display: str = ""


class Finding(Frozen):
    """Something that can be observed, and how often it is without the causes that are modelled.

    `hpo` are terms of the Human Phenotype Ontology that mean it, or the nearest that contain it.
    Where it is present, `implies` are present as well and `excludes` (leaves, as in a red flag)
    cannot be.
    """

    id: str
    label: Text
    question: str
    kind: Literal["binary", "ordinal", "threshold", "observation"]
    aliases_lay: Names = ()
    aliases_professional: Names = ()
    observed_by: Observer
    category: str
    states: Names = (ABSENT, PRESENT)
    threshold_of: str | None = None
    at_least: str | None = None
    background: Number | None = None
    background_effects: Annotated[tuple[BackgroundEffect, ...], Field(strict=False)] = ()
    any_of: Names = ()
    implies: Names = ()
    excludes: Leaves = ()
    hpo: HpoIds = ()
    note: str = ""

    @property
    def has_probability(self) -> bool:
        """Whether causes can link to it: ordinals speak through their thresholds."""
        return self.kind in ("binary", "threshold")


def all_implied(findings: Mapping[str, Finding], name: str) -> set[str]:
    """Return a finding or risk with all that is present where it is."""
    found, waiting = {name}, [name]
    while waiting:
        finding = findings.get(waiting.pop())
        new = set(finding.implies if finding else ()) - found
        found |= new
        waiting += new
    return found


class Risk(Frozen):
    """A risk factor or context, with how common its states are.

    Where it is present, `excludes` (leaves, as in a red flag) cannot be.
    """

    id: str
    label: Text
    question: str
    states: Names = (ABSENT, PRESENT)
    aliases_lay: Names = ()
    aliases_professional: Names = ()
    observed_by: Observer
    excludes: Leaves = ()
    prevalence: Prevalence
    note: str = ""

    @property
    def probabilities(self) -> tuple[float, ...]:
        """P(state) in the order of `states`."""
        value = self.prevalence.value
        return value if isinstance(value, tuple) else (1.0 - value, value)


class Setting(Frozen):
    """What a measured value says about one finding or risk.

    Either `present`, the comparison that makes a finding present (``"< 3.5"``), or `cuts`: the
    index of the state is the number of cuts at or below the value (``closed="left"``) or strictly
    below it (``closed="right"``). Of a ``falling`` scale, where the low values are the later
    states, it is the number of cuts above the value (at or above it when closed on the right).
    """

    finding: str | None = None
    risk: str | None = None
    present: str | None = None
    cuts: Annotated[tuple[float, ...], Field(strict=False)] | None = None
    closed: Literal["left", "right"] = "left"
    falling: bool = False

    @property
    def target(self) -> str:
        """Id of the finding or risk that is set."""
        return self.finding or self.risk or ""

    @property
    def comparison(self) -> tuple[str, float] | None:
        """`present` taken apart: the operator and the threshold."""
        if self.present is None:
            return None
        found = COMPARISON.fullmatch(self.present)
        return (found[1], float(found[2])) if found else None


class Measure(Frozen):
    """Something that is measured as a number and cut at declared thresholds."""

    id: str
    label: Text
    question: str = ""
    unit: str
    range: Range
    units: Annotated[dict[str, float], AfterValidator(FrozenDict)] = Field(
        default_factory=FrozenDict
    )
    integer: bool = False
    aliases_lay: Names = ()
    aliases_professional: Names = ()
    observed_by: Observer
    sets: Annotated[tuple[Setting, ...], Field(strict=False)]
    note: str = ""


class Group(Frozen):
    """Causes that belong together: by what drives the complaint, or as a class of diagnoses."""

    id: str
    label: Text
    kind: Literal["driver", "class"]
    members: Names
    note: str = ""


class Source(Frozen):
    """Where numbers come from; `seen` tells whether it was read for this knowledge."""

    id: str
    title: str
    seen: bool
    note: str = ""


class Word(Frozen):
    """A verbal expression and the distribution that it is taken to mean."""

    wording: str
    rule: str
    mean: float | None = None
    distribution: str
    parameters: Annotated[tuple[float, ...], Field(strict=False)] = ()
    basis: Basis
    note: str = ""


class Scale(Frozen):
    """A published scale of verbal expressions, for comparison."""

    name: str
    source: str
    basis: Basis
    points: Annotated[dict[str, float | Range], AfterValidator(FrozenDict)]
    note: str = ""


WORTH: Mapping[str, float] = MappingProxyType(
    {"SEEN": 100.0, "SEEN-ADAPTED": 20.0, "RECALL": 20.0, "SEED": 15.0, "JUDGEMENT": 8.0}
)
"""How many people observed a number of each basis is worth, where a folder does not say."""


class ModelCard(Frozen):
    """What the model as a whole is, and for whom.

    Attributes
    ----------
    leak_floor : float
        No leak is set below this share of a finding's background.
    equivalent_sample_size : mapping of str to float
        How many people observed a number of each basis is worth.
    """

    name: str
    version: str
    reference_population: str
    intended_use: str
    leak_floor: float = 0.1
    equivalent_sample_size: Annotated[dict[str, float], AfterValidator(FrozenDict)] = Field(
        default_factory=lambda: FrozenDict(WORTH)
    )
