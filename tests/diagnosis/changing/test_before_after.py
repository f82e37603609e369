"""What would change an answer: every claim is checked by building or answering it anew."""

import itertools
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from small_priors import SMALL, write_priors

from bayesdx.building.assembly import assemble
from bayesdx.building.number_draws import moved, uncertain_numbers
from bayesdx.building.perturbations import Mover
from bayesdx.diagnosis.changing.before_after import what_if
from bayesdx.diagnosis.changing.flips import smallest_flips
from bayesdx.diagnosis.changing.perturbed_answers import probability_beyond
from bayesdx.diagnosis.changing.tipping_points import turning_numbers
from bayesdx.diagnosis.changing.tornado import tornado
from bayesdx.diagnosis.core import Core, build_core
from bayesdx.diagnosis.engine import Engine
from bayesdx.errors import InvalidCase, InvalidKnowledge
from bayesdx.inference import posteriors
from bayesdx.knowledge.addresses import every_number
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.overrides import with_numbers
from bayesdx.knowledge.profiles import LARGEST, read_profile, with_priors, with_profile
from bayesdx.knowledge.reading import read_knowledge
from bayesdx.knowledge.statement_schema import Calibration, Move

CASE = {"low_back_pain": "present", "bilateral": "absent", "fair_pos": "present"}
SMALL_CASE = {"cramp": "present", "radiation": "thigh", "ck_high": "absent"}


@pytest.fixture(scope="module")
def engine(real_knowledge: Knowledge) -> Engine:
    return Engine(real_knowledge)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Core:
    return build_core(read_knowledge(write_priors(tmp_path_factory.mktemp("priors"), SMALL)))


def posterior_at(
    core: Core, findings: Mapping[str, str], values: Mapping[str, float]
) -> np.ndarray:
    """Posteriors of ``core.causes`` by a network assembled with these numbers."""
    model = assemble(with_numbers(core.knowledge, values), core.assembly.links).model
    answer = posteriors(model, core.read_case(findings).evidence).causes[0]
    at = {name: i for i, name in enumerate(model.causes)}
    return np.array([answer[at[name]] if name in at else 0.0 for name in core.causes])


class TestTornado:
    def test_ends_are_those_of_networks_built_anew(self, small: Core) -> None:
        table = tornado(small, SMALL_CASE, "strain")
        k = small.causes.index("strain")
        assert (table["method"] == "exact").sum() == 12
        assert table["swing"].is_monotonic_decreasing
        checked = set()
        for row in table.to_dict("records"):
            if "state" in row["title"]:
                continue
            exact = row["method"] == "exact"
            checked.add(row["method"])
            for end, at in (("low", "at_low"), ("high", "at_high")):
                right = posterior_at(small, SMALL_CASE, {row["place"]: row[end]})[k]
                assert row[at] == pytest.approx(right, abs=2e-9 if exact else 5e-3)
        assert checked == {"exact", "held"}

    def test_real_ends(self, engine: Engine) -> None:
        table = engine.tornado(CASE)
        assert set(table["cause"]) == {engine.diagnose(CASE).table.index[0]}
        row = table.iloc[0]
        k = engine.core.causes.index(row["cause"])
        right = posterior_at(engine.core, CASE, {row["place"]: row["high"]})[k]
        assert row["at_high"] == pytest.approx(right, abs=1e-8)
        numbers = {one.place: one for one in every_number(engine.knowledge)}
        assert row["source"] == numbers[row["place"]].stated.source
        assert (row["low"], row["high"]) == numbers[row["place"]].stated.range

    def test_unknown_cause_and_impossible_case(self, engine: Engine) -> None:
        with pytest.raises(InvalidKnowledge, match="Nearest: gtps"):
            engine.tornado(CASE, "gtp")
        with pytest.raises(InvalidCase, match="can occur together"):
            engine.tornado({"menstrual_cyclic": "present", "sex": "male"})


class TestTurningNumbers:
    def test_it_really_flips_and_slightly_less_does_not(self, engine: Engine) -> None:
        core = engine.core
        table = turning_numbers(core, CASE).table
        base = engine.diagnose(CASE)
        exact = table[table["method"] == "exact"].set_index("target")
        assert set(exact.index) == {"first"}
        row = exact.loc["first"]
        for value, first in (
            (row["needed"], row["result"]),
            (row["short_of"], base.table.index[0]),
        ):
            answer = posterior_at(core, CASE, {row["place"]: value})
            assert core.causes[int(answer.argmax())] == first
        assert row["result"] != base.table.index[0]
        assert abs(row["needed"] - row["short_of"]) < 0.01 * abs(row["needed"] - row["value"])

    def test_nothing_is_nearer_on_a_grid(self, small: Core) -> None:
        """No other number turns the answer at a value that is more plausible than the one found."""
        case = {"ck_high": "present", "statin_use": "present", "cramp": "absent"}
        rows = turning_numbers(small, case).table
        best = rows[rows["target"] == "first"].iloc[0]
        assert best["method"] == "exact"
        stated = posterior_at(small, case, {}).argmax()
        assert posterior_at(small, case, {best["place"]: best["needed"]}).argmax() != stated
        for one in uncertain_numbers(small.knowledge):
            if one.fit is None or isinstance(one.number.value, tuple):
                continue
            mover = Mover(one, -1, one.deviation)
            for step in np.linspace(-4.0, 4.0, 17) * one.deviation:
                beyond = probability_beyond(mover, step) if step else 1.0
                if best["beyond"] * 1.02 < beyond < 1.0:
                    value = float(moved(one, np.array(step)))
                    answer = posterior_at(small, case, {one.number.place: value})
                    assert answer.argmax() == stated

    def test_says_when_no_number_does(self, small: Core) -> None:
        found = turning_numbers(small, SMALL_CASE)
        assert "it rests on what was answered" in found.unchanged["urgency"]
        assert not (found.table["target"] == "urgency").any()


class TestFlips:
    def test_against_every_change_one_by_one(self, engine: Engine) -> None:
        case = {**CASE, "slr_pos": "absent"}
        found = smallest_flips(engine.core, case, largest=2)
        base = engine.diagnose(case)
        for target in ("first", "urgency"):
            right = self.naive(engine, case, target, base)
            rows = found.table[found.table["target"] == target]
            assert found.found[target] == len(right)  # type: ignore[index]
            assert set(rows["changes"]) == right if len(right) <= 10 else len(rows) == 10

    @staticmethod
    def naive(engine: Engine, case: Mapping[str, str], target: str, base) -> set[str]:  # type: ignore[no-untyped-def]
        for size in (1, 2):
            hits = set()
            for names in itertools.combinations(case, size):
                options = [
                    [one for one in ("absent", "present", "unknown") if one != case[name]]
                    for name in names
                ]
                for values in itertools.product(*options):
                    changed = {**case, **dict(zip(names, values, strict=True))}
                    try:
                        answer = engine.diagnose(changed)
                    except InvalidCase:
                        continue
                    if answer.status != "ok":
                        continue
                    differs = {
                        "first": answer.table.index[0] != base.table.index[0],
                        "urgency": answer.urgency != base.urgency,
                    }
                    if differs[target]:
                        pairs = zip(names, values, strict=True)
                        hits.add("; ".join(f"{n}: {case[n]} to {v}" for n, v in pairs))
            if hits:
                return hits
        return set()

    def test_bounds_are_said(self, engine: Engine) -> None:
        found = smallest_flips(engine.core, CASE, largest=1, most_rows=2)
        assert "not searched" in found.bound
        assert set(found.searched.values()) == {0}
        with pytest.raises(InvalidCase, match="largest: expected a number of at least 1, got 0"):
            smallest_flips(engine.core, CASE, largest=0)

    def test_nothing_given(self, small: Core) -> None:
        found = smallest_flips(small, {})
        assert found.table.empty
        assert found.bound == ""

    def test_contradictory_changes_are_left_out(self, small: Core) -> None:
        case = {"radiation_any": "present", "radiation_foot": "present", "cramp": "absent"}
        found = smallest_flips(small, case, largest=3)
        assert not found.table["changes"].str.fullmatch("radiation_any: present to absent").any()


class TestBeforeAndAfter:
    def test_a_finding(self, engine: Engine) -> None:
        found = engine.what_if(CASE, {"fever": "present"})
        before, after = engine.diagnose(CASE), engine.diagnose({**CASE, "fever": "present"})
        index = found.table.index
        np.testing.assert_allclose(found.table["before"], before.table["posterior"][index])
        np.testing.assert_allclose(found.table["after"], after.table["posterior"][index])
        # Equal posteriors far down may change places.
        assert list(index[:20]) == list(after.table.index[:20])
        assert (found.before.urgency, found.after.urgency) == (before.urgency, after.urgency)
        assert "fever" in found.after.flags
        assert found.changed == {"fever": ("unknown", "present")}
        assert found.priors == {}
        assert not found.table.isna().any(axis=None)

    def test_an_alias_replaces_what_it_stands_for(self, small: Core) -> None:
        found = what_if(
            small, {"cramp": "present", "ck_high": "absent"}, {"charley horse": "absent"}
        )
        assert found.changed == {"cramp": ("present", "absent")}
        gone = what_if(small, {"cramp": "present", "ck_high": "absent"}, {"cramp": "unknown"})
        assert gone.changed == {"cramp": ("present", "unknown")}

    def test_a_prior_is_a_network_built_anew(self, engine: Engine) -> None:
        found = engine.what_if(CASE, priors={"gtps": 0.3})
        right = posterior_at(engine.core, CASE, {"causes/gtps.toml:prior": 0.3})
        after = found.table.loc[list(engine.core.causes), "after"]
        np.testing.assert_allclose(after, right, rtol=0, atol=1e-9)
        assert found.priors == {"gtps": (engine.causes.loc["gtps", "prior"], 0.3)}
        assert found.table.loc["gtps", "prior_after"] == 0.3
        again = engine.with_priors({"gtps": 0.3}).diagnose(CASE).table["posterior"]
        np.testing.assert_allclose(found.table["after"], again[found.table.index], atol=1e-12)

    def test_a_given_prior_is_not_calibrated_away(self, real_knowledge: Knowledge) -> None:
        cause = "piriformis_syndrome"
        prior = real_knowledge.causes[cause].prior
        assert prior is not None
        elicited = prior.value
        move = Move(
            number=f"causes/{cause}.toml:prior", elicited=elicited, calibrated=0.06, constraint="c"
        )
        calibration = Calibration(computed_from="", move=(move,))
        calibrated = real_knowledge.model_copy(update={"calibration": calibration})
        core = build_core(with_priors(calibrated, {cause: elicited}))
        assert core.prior[core.causes.index(cause)] == elicited

    def test_impossible_afterwards(self, engine: Engine) -> None:
        found = engine.what_if({"menstrual_cyclic": "present"}, {"sex": "male"})
        assert found.after.status == "impossible"
        np.testing.assert_array_equal(found.table["after"], found.table["prior_after"])

    def test_nothing_otherwise(self, engine: Engine) -> None:
        with pytest.raises(InvalidCase, match="a finding or prior that would be otherwise"):
            engine.what_if(CASE)

    @pytest.mark.parametrize(
        ("priors", "message"),
        [
            ({"gtp": 0.1}, "prior of gtp: expected a modelled cause, got 'gtp'. Nearest: gtps"),
            ({"gtps": 1.0}, "prior of gtps: expected a probability strictly between 0 and 1"),
            ({"gtps": "0.2"}, "prior of gtps: expected a probability strictly between 0 and 1"),
            ({"ibs": 0.1}, "prior of ibs: expected a modelled cause"),
        ],
    )
    def test_bad_priors(self, engine: Engine, priors: dict[str, float], message: str) -> None:
        with pytest.raises(InvalidKnowledge, match=message):
            engine.what_if(CASE, priors=priors)


PROFILE = """
label = "Clinic"
denominator = "people sent to a clinic"
source = "its register"
[priors]
gtps = 0.3
hip_oa = { value = 0.2, source = "another register", denominator = "those over 60" }
"""


class TestProfiles:
    def test_priors_with_their_denominators(
        self, real_knowledge: Knowledge, tmp_path: Path
    ) -> None:
        path = tmp_path / "clinic.toml"
        path.write_text(PROFILE, encoding="utf-8")
        profile = read_profile(path)
        assert profile.values == {"gtps": 0.3, "hip_oa": 0.2}
        knowledge = with_profile(real_knowledge, profile)
        prior = knowledge.causes["hip_oa"].prior
        assert prior is not None
        assert (prior.value, prior.denominator) == (0.2, "those over 60")
        assert prior.note == "Clinic: another register"
        prior = knowledge.causes["gtps"].prior
        assert prior is not None
        assert prior.denominator == "people sent to a clinic"
        assert "its register" in prior.note

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "priors: expected a table of causes and their priors, got nothing"),
            ("[priors]\ngtps = 0.1", "priors.gtps.denominator: expected a denominator, here or"),
            ("prior = 1\n[priors]", "expected label, denominator, source or priors, got 'prior'"),
            (PROFILE.replace("0.3", "3"), "priors.gtps: expected a probability strictly between"),
            (PROFILE.replace("0.3", "true"), "priors.gtps: expected a probability strictly"),
            (
                PROFILE.replace("value = 0.2, ", ""),
                "priors.hip_oa: expected a probability .* nothing",
            ),
            (PROFILE.replace('"Clinic"', "4"), "label: expected a text, got 4"),
            ("label = ", "expected a TOML file"),
        ],
    )
    def test_faults(self, tmp_path: Path, text: str, message: str) -> None:
        path = tmp_path / "profile.toml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InvalidKnowledge, match=message):
            read_profile(path)

    def test_a_huge_file_is_not_read(self, tmp_path: Path) -> None:
        path = tmp_path / "profile.toml"
        path.write_text("#" * (LARGEST + 1), encoding="utf-8")
        with pytest.raises(InvalidKnowledge, match="at most 1048576 bytes"):
            read_profile(path)

    def test_unknown_cause_of_a_profile(self, engine: Engine, tmp_path: Path) -> None:
        path = tmp_path / "profile.toml"
        path.write_text(PROFILE.replace("gtps", "gtpx"), encoding="utf-8")
        with pytest.raises(InvalidKnowledge, match="prior of gtpx: expected a modelled cause"):
            engine.what_if(CASE, profile=read_profile(path))
