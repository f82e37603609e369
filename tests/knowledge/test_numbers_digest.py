"""The digest that calibration goes by: it sees all that counts, and nothing else."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesdx.knowledge.addresses import every_number
from bayesdx.knowledge.overrides import numbers_digest, with_numbers
from bayesdx.knowledge.reading import read_knowledge
from bayesdx.knowledge.schema import FrozenDict
from bayesdx.knowledge.statement_schema import Calibration

Write = Callable[..., Path]

REAL = read_knowledge()
DIGEST = numbers_digest(REAL)
VALUES = {
    number.place: number.value for number in every_number(REAL) if isinstance(number.value, float)
}

CONSTRAINT = """
[[constraint]]
id = "bound"
statements = ["S1-02"]
hard = true
event = "strain"
given = { cramp = "present" }
between = [0.0, 0.5]
note = "A bound."
"""

TEXTS = {
    "label": ("causes/strain.toml", "Muscle strain", "Strained muscle"),
    "description": ("causes/strain.toml", "A muscle that", "Muscle that"),
    "aliases": ("causes/strain.toml", '["pulled muscle"]', '["torn muscle"]'),
    "ICD-10": ("causes/strain.toml", "M62.838", "M62.9"),
    "note": ("causes/statin_myopathy.toml", "as reported by patients", "as told"),
    "reason": ("causes/bowel.toml", "It cannot make", "It does not make"),
    "source": ("causes/strain.toml", 'source = "clin"', 'source = "study"'),
    "statements": ("causes/strain.toml", '["S0-05"]', '["S0-06"]'),
    "source of a requirement": (
        "causes/statin_myopathy.toml",
        'requires_source = "study"',
        'requires_source = "clin"',
    ),
    "denominator": ("findings.toml", '"R, cause absent"', '"R without the cause"'),
    "question": ("findings.toml", "Does it cramp?", "Are there cramps?"),
    "category": ("findings.toml", 'category = "quality"', 'category = "pain"'),
    "question of a risk": ("risks.toml", "Do you take a statin?", "Is there a statin?"),
    "label of a group": ("groups.toml", '"Load"', '"Overload"'),
    "title of a source": ("sources.toml", "A study of spasms", "Spasms: a study"),
    "name of the model": ("model.toml", 'name = "small"', 'name = "little"'),
    "note of a constraint": ("constraints.toml", "A bound.", "The bound."),
    "statements of a constraint": ("constraints.toml", '["S1-02"]', '["S1-03"]'),
    "red flag": ("red_flags.toml", "Go now.", "Go at once."),
    "measure": ("measures.toml", 'label = "CK"', 'label = "Creatine kinase"'),
    "scale of words": ("word_scale.toml", "often / frequent", "often"),
}
"""Changes that calibration has nothing to do with."""

CHANGES = {
    "prior": ("causes/strain.toml", "value = 0.13", "value = 0.14"),
    "range": ("causes/strain.toml", "range = [0.06, 0.2]", "range = [0.06, 0.21]"),
    "no range": ("causes/strain.toml", "range = [0.06, 0.2]\n", ""),
    "basis": ("causes/strain.toml", 'basis = "SEED"', 'basis = "RECALL"'),
    "measure of an effect": ("causes/strain.toml", '"case_share"', '"relative_risk"'),
    "condition of an effect": ("causes/strain.toml", '["under_60"]', '["60_or_over"]'),
    "link": ("causes/strain.toml", "probability = 0.5", "probability = 0.51"),
    "parameterisation": ("causes/statin_myopathy.toml", '"alone"', '"in_population"'),
    "background": ("findings.toml", "value = 0.25", "value = 0.26"),
    "effect on a background": ("findings.toml", "value = 0.4\n", "value = 0.41\n"),
    "implied finding": ("findings.toml", 'implies = ["radiation_any"]\n', ""),
    "prevalence": ("risks.toml", "value = 0.2\n", "value = 0.21\n"),
    "prevalences": ("risks.toml", "[0.7, 0.3]", "[0.6, 0.4]"),
    "members of a group": (
        "groups.toml",
        'members = ["strain", "statin_myopathy"]',
        'members = ["strain"]',
    ),
    "leak floor": ("model.toml", "leak_floor = 0.1", "leak_floor = 0.2"),
    "weight of a basis": ("model.toml", "SEED = 15", "SEED = 16"),
    "bounds": ("constraints.toml", "[0.0, 0.5]", "[0.0, 0.4]"),
    "condition of a constraint": ("constraints.toml", '"present"', '"absent"'),
    "event of a constraint": ("constraints.toml", '"strain"', '"load"'),
    "hard constraint": ("constraints.toml", "hard = true", "hard = false"),
    "no constraint": ("constraints.toml", "*", "constraint = []\n"),
}
"""Changes after which calibration has to be done again."""


def digests(small: dict[str, str], write: Write, change: tuple[str, str, str]) -> tuple[str, str]:
    small["constraints.toml"] = CONSTRAINT
    before = read_knowledge(write(small, "before"))
    file, old, new = change
    assert old == "*" or old in small[file]
    small[file] = new if old == "*" else small[file].replace(old, new, 1)
    after = read_knowledge(write(small, "after"))
    assert after.digest != before.digest
    return numbers_digest(before), numbers_digest(after)


@pytest.mark.parametrize("name", TEXTS)
def test_digest_ignores_texts(small: dict[str, str], write: Write, name: str) -> None:
    before, after = digests(small, write, TEXTS[name])
    assert before == after


@pytest.mark.parametrize("name", CHANGES)
def test_digest_sees_what_counts(small: dict[str, str], write: Write, name: str) -> None:
    before, after = digests(small, write, CHANGES[name])
    assert before != after


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"\brange = \[[0-9.]+", "range = [0.0001"),
        (r'\bbasis = "(?!RECALL)[A-Z-]+"', 'basis = "RECALL"'),
    ],
    ids=["range", "basis"],
)
def test_digest_sees_every_range_and_basis(
    small: dict[str, str], write: Write, old: str, new: str
) -> None:
    before = numbers_digest(read_knowledge(write(small)))
    found = 0
    for file in small:
        if file.startswith(("causes/", "findings", "risks")):
            for one in re.finditer(old, small[file]):
                text = small[file][: one.start()] + new + small[file][one.end() :]
                after = read_knowledge(write(small | {file: text}))
                assert numbers_digest(after) != before, (file, one[0])
                found += 1
    assert found > 10


def test_digest_sees_every_constraint() -> None:
    for one in REAL.constraints:
        others = tuple(other for other in REAL.constraints if other is not one)
        assert numbers_digest(REAL.model_copy(update={"constraints": others})) != DIGEST


@settings(max_examples=40, deadline=None)
@given(place=st.sampled_from(sorted(VALUES)), shift=st.floats(1e-9, 0.5))
def test_digest_changes_with_every_number(place: str, shift: float) -> None:
    moved = with_numbers(REAL, {place: VALUES[place] + shift})
    assert numbers_digest(moved) != DIGEST


def test_digest_does_not_depend_on_the_order_of_entries() -> None:
    def turned(entries: Mapping[str, Any]) -> FrozenDict[str, Any]:
        return FrozenDict(reversed(entries.items()))

    update = {name: turned(getattr(REAL, name)) for name in ("causes", "findings", "risks")}
    assert numbers_digest(REAL.model_copy(update=update)) == DIGEST


def test_digest_does_not_depend_on_calibration() -> None:
    update = {"calibration": Calibration(computed_from="0")}
    assert numbers_digest(REAL.model_copy(update=update)) == DIGEST
