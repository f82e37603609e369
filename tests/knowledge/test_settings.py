"""Priors of settings: what is shipped, how it is named, and that every answer and digest tells."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import bayesdx
from bayesdx.building.assembly import assemble, fit_remarks
from bayesdx.knowledge.folders import find_priors
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.linting import lint
from bayesdx.knowledge.overrides import calibrated
from bayesdx.knowledge.profiles import in_setting, read_profile, settings_of
from bayesdx.knowledge.reading import read_knowledge
from bayesdx.tables.serialisation import core_of, knowledge_files

SHIPPED = settings_of(find_priors())
Write = Callable[[Mapping[str, str]], Path]


@pytest.fixture(scope="module")
def packaged() -> Knowledge:
    return read_knowledge()


def test_four_settings_are_shipped() -> None:
    assert set(SHIPPED) == {
        "general_practice",
        "emergency_department",
        "physiotherapy",
        "spine_or_pain_clinic",
    }


@pytest.mark.parametrize("name", SHIPPED)
def test_every_prior_says_of_whom_and_from_where(packaged: Knowledge, name: str) -> None:
    profile = read_profile(SHIPPED[name])
    assert len(profile.priors) >= 9
    for one in profile.priors:
        assert "adults" in one.denominator
        named = re.findall(r"\b([a-z_]+[0-9]*): ", one.source)
        assert "judgement" in one.source or named
        assert set(named) <= packaged.sources.keys()


@pytest.mark.parametrize("name", SHIPPED)
def test_networks_give_back_the_priors_of_a_setting(packaged: Knowledge, name: str) -> None:
    knowledge = calibrated(in_setting(packaged, name))
    assembly = assemble(knowledge)
    assert [one for one in fit_remarks(assembly) if one[0] == "error"] == []
    engine = bayesdx.Engine(knowledge)
    table = engine.diagnose({}).table
    profile = read_profile(SHIPPED[name])
    for one in profile.priors:
        assert table.loc[one.cause, "prior"] == one.value
        assert table.loc[one.cause, "posterior"] == pytest.approx(one.value, rel=1e-9)
    assert profile.label in engine.knowledge.model.intended_use
    assert engine.diagnose({}).setting == profile.label
    assert engine.diagnose({}).to_dict()["setting"] == profile.label


def test_the_digest_tells_setting_and_numbers(packaged: Knowledge, tmp_path: Path) -> None:
    digests = {name: in_setting(packaged, name).digest for name in SHIPPED}
    assert len({*digests.values(), packaged.digest}) == len(SHIPPED) + 1
    copy = tmp_path / "physiotherapy.toml"
    text = SHIPPED["physiotherapy"].read_text(encoding="utf-8")
    copy.write_text(text, encoding="utf-8")
    assert in_setting(packaged, copy).digest == digests["physiotherapy"]
    copy.write_text(text.replace("gtps = 0.2\n", "gtps = 0.21\n"), encoding="utf-8")
    assert in_setting(packaged, copy).digest != digests["physiotherapy"]


def test_danger_weighs_more_where_it_is_more_frequent(packaged: Knowledge) -> None:
    case = {"low_back_pain": "present", "numbness_tingling": "present"}
    odds = {}
    for name in (None, "emergency_department", "physiotherapy"):
        p = bayesdx.Engine(in_setting(packaged, name)).diagnose(case).table.posterior
        odds[name] = p["cauda_equina"] / (1 - p["cauda_equina"])
    assert odds["emergency_department"] > 3 * odds[None] > 3 * odds["physiotherapy"]


def test_knowledge_that_is_sent_keeps_its_setting(packaged: Knowledge) -> None:
    knowledge = in_setting(packaged, "emergency_department")
    files = knowledge_files(knowledge.folder, knowledge.setting)
    assert files.digest == knowledge.digest
    core = core_of(files)
    assert core.knowledge.digest == knowledge.digest
    assert core.knowledge.causes["dvt"].prior == knowledge.causes["dvt"].prior


def test_a_name_that_is_none_gets_the_nearest(packaged: Knowledge) -> None:
    with pytest.raises(bayesdx.InvalidKnowledge, match="Nearest: emergency_department"):
        in_setting(packaged, "emergency_dept")


def test_a_setting_that_does_not_fit_the_folder_is_an_error_of_check(
    small: dict[str, str], write: Write
) -> None:
    top = 'label = "x"\ndenominator = "adults"\nsource = "clin"\n[priors]\n'
    folder = write(small)
    (folder / "settings").mkdir()
    (folder / "settings" / "ward.toml").write_text(f"{top}strian = 0.2\n", encoding="utf-8")
    found = [one for one in lint(read_knowledge(folder)) if one[1].startswith("settings/")]
    ((severity, place, message),) = found
    assert (severity, place) == ("error", "settings/ward.toml")
    assert "strian" in message
    assert "strain" in message
