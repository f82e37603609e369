"""What editors are told is what the reader takes."""

import copy
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bayesdx.knowledge.folders import find_priors
from bayesdx.knowledge.json_schemas import json_schemas

SCHEMAS = json_schemas()
PRIORS = find_priors()


def schema_of(path: Path) -> dict[str, Any]:
    return SCHEMAS[f"schema/{'cause' if path.parent.name == 'causes' else path.stem}.json"]


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_a_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


def test_the_packaged_files_fit_their_schemas() -> None:
    for path in sorted([*PRIORS.glob("*.toml"), *PRIORS.glob("causes/*.toml")]):
        content = tomllib.loads(path.read_text())
        faults = list(jsonschema.Draft202012Validator(schema_of(path)).iter_errors(content))
        assert not faults, (path.name, faults[0].json_path, faults[0].message)


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("causes/dvt.toml", lambda one: one.update(labl="x")),
        ("causes/dvt.toml", lambda one: one["prior"].update(value="0.1")),
        ("causes/dvt.toml", lambda one: one["prior"].update(valeu=0.1)),
        ("causes/dvt.toml", lambda one: one.pop("description")),
        ("findings.toml", lambda one: one["fever"].update(kind="binry")),
        ("findings.toml", lambda one: one.update({"Bad Name": one["fever"]})),
        ("red_flags.toml", lambda one: one.update(rules=[])),
        ("red_flags.toml", lambda one: one["rule"][0].pop("when")),
    ],
)
def test_a_slip_does_not_fit(file: str, damage: Callable[[dict[str, Any]], object]) -> None:
    content = copy.deepcopy(tomllib.loads((PRIORS / file).read_text()))
    damage(content)
    with pytest.raises(jsonschema.ValidationError, match=r"."):
        jsonschema.validate(content, schema_of(PRIORS / file), jsonschema.Draft202012Validator)
