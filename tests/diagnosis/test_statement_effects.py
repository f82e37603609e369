"""Answers move as the statements say: against diagnoses before and after, and caught when not."""

import pytest

import bayesdx
from bayesdx.building.assembly import assemble
from bayesdx.diagnosis.statement_effects import (
    MOVES,
    StatedEffect,
    effect_remarks,
    stated_effects,
)
from bayesdx.frozen import FrozenDict
from bayesdx.knowledge.addresses import Address, with_values
from bayesdx.knowledge.knowledge import Knowledge


@pytest.fixture(scope="module")
def engine() -> bayesdx.Engine:
    return bayesdx.load()


@pytest.fixture(scope="module")
def effects(engine: bayesdx.Engine) -> tuple[StatedEffect, ...]:
    return stated_effects(engine.knowledge, engine.assembly)


def only(knowledge: Knowledge, name: str, **changes: object) -> Knowledge:
    """The knowledge with one statement, changed."""
    told = knowledge.statements[name].model_copy(update=changes)
    return knowledge.model_copy(update={"statements": FrozenDict({name: told})})


def test_every_statement_of_direction_is_followed_or_contradicted_with_its_evidence(
    engine: bayesdx.Engine, effects: tuple[StatedEffect, ...]
) -> None:
    assert effect_remarks(engine.knowledge, engine.assembly) == ()
    refused = {one.statement.id for one in effects if not one.held}
    assert refused == {"S0-21", "S0-38", "S0-39", "S0-49", "S0-50", "S2-79"}
    for name in refused:
        told = engine.knowledge.statements[name]
        assert told.contradicted
        assert all(engine.knowledge.sources[source].seen for source in told.evidence)
    assert len({one.statement.id for one in effects}) > 150


def test_ratios_are_those_of_diagnoses(
    engine: bayesdx.Engine, effects: tuple[StatedEffect, ...]
) -> None:
    for one in effects[::23]:
        p, q = (
            engine.diagnose(dict(when.given)).table.loc[when.event, "posterior"]
            for when in (one.before, one.after)
        )
        assert one.ratio == pytest.approx(q / (1 - q) * (1 - p) / p, rel=1e-9)


def test_a_number_below_the_background_is_caught(engine: bayesdx.Engine) -> None:
    place = "causes/pnst.toml:links.cramp_spasm"
    address = Address.parse(place)
    assert address is not None
    altered = with_values(only(engine.knowledge, "S0-53"), {address: 0.2})
    ((severity, where, message),) = effect_remarks(altered, assemble(altered))
    assert (severity, where) == ("error", "statements.toml:S0-53")
    assert place in message
    assert "P(pnst | cramp_spasm=present)" in message


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("S1-42", {"lowers": ()}, "more likely"),
        ("X-19", {"unmoved": ()}, "more likely"),
        ("S0-53", {"lowers": ("causes/pnst.toml:links.cramp_spasm",)}, "less likely"),
        ("S0-53", {"unmoved": ("causes/pnst.toml:links.cramp_spasm",)}, "no more and no less"),
        ("S0-53", {"contradicted": "So.", "evidence": ("smoll",)}, "contradicted, yet"),
        ("S0-21", {"contradicted": "", "evidence": ()}, "does not follow"),
    ],
)
def test_the_direction_is_the_one_stated(
    engine: bayesdx.Engine, name: str, changes: dict[str, object], said: str
) -> None:
    remarks = effect_remarks(only(engine.knowledge, name, **changes), engine.assembly)
    assert remarks
    assert all(severity == "error" and said in message for severity, _, message in remarks)


def test_the_context_counts(engine: bayesdx.Engine) -> None:
    one = "S0-65"
    assert engine.knowledge.statements[one].given == {"cramp_spasm": "present"}
    inside = stated_effects(only(engine.knowledge, one), engine.assembly)
    outside = stated_effects(only(engine.knowledge, one, given=FrozenDict()), engine.assembly)
    for a, b in zip(inside, outside, strict=True):
        assert dict(a.before.given) == {"cramp_spasm": "present"}
        assert b.before.given == ()
        assert a.ratio != pytest.approx(b.ratio, rel=1e-6)
        assert min(a.ratio, b.ratio) >= MOVES
