"""Why a cause is as probable as it is, on the command line."""

import json
import re

import pytest

CASE = ("low_back_pain", "!bilateral", "fair_pos=present", "slr_pos=absent", "age=41")
FINDINGS = {
    "low_back_pain": "present",
    "bilateral": "absent",
    "fair_pos": "present",
    "slr_pos": "absent",
    "age": 41,
}


def flat(text: str) -> str:
    return " ".join(text.split())


def test_report_shows_the_two_leading_causes_with_signed_bars(run, engine) -> None:
    ran = run("explain", *CASE)
    found = engine.explain(FINDINGS)
    assert (ran.code, ran.err) == (0, "")
    first, second, third = found.causes.index[:3]
    assert ran.out.index(f"({first})") < ran.out.index(f"({second})")
    assert f"({third})" not in ran.out
    (line,) = re.findall(r"FAIR test.*", ran.out.split(f"({second})")[0])
    contribution = found.of(first).loc["fair_pos", "contribution"]
    assert f"{contribution:+.2f}" in line
    assert ("+|" in line or "|+" in line) == (round(contribution, 1) > 0)
    assert flat(ran.out).endswith(flat(engine.knowledge.model.intended_use))


def test_report_says_where_numbers_come_from_and_how_they_are_shared_out(run) -> None:
    case = [one for one in CASE if one != "slr_pos=absent"]  # as many as every order is read of
    out = flat(run("explain", *case, "--cause", "piriformis_syndrome").out)
    assert "how often the cause shows it 0.881 (0.75 to 0.95), fish02 (seen)" in out
    assert "How it is shared out: Shapley values" in out
    assert "Would matter if known:" in out
    assert "Who produced what is present" in out
    assert "rules nothing out" in out


def test_report_says_what_its_sources_are(run, engine) -> None:
    """Those behind the numbers that are shown, and no other."""
    ran = run("explain", *CASE, "-c", "piriformis_syndrome")
    listed = ran.out.split("Sources named above:\n")[1].split("Understood:")[0]
    told = dict(re.findall(r"- (\w+): (.*)", listed))
    own = set(engine.explain(FINDINGS).of("piriformis_syndrome")["source"]) - {""}
    assert set(told) == own >= {"fish02"}
    assert told["fish02"] == engine.knowledge.sources["fish02"].title


def test_report_names_who_takes_the_credit(run, engine) -> None:
    out = flat(run("explain", *CASE, "-c", "si_joint").out)
    rival = engine.explain(FINDINGS, "si_joint").away.loc[("si_joint", "referred_lumbar")]
    percentage = f"{100 * rival['posterior_without']:.1f} %"
    assert "Credit that others take; without them it would be at: " in out
    assert f"{rival['label']}, {percentage}" in out


def test_report_fits_a_narrow_terminal(run, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = run("explain", *CASE).out
    assert max(len(line.rstrip()) for line in out.splitlines()) <= 80


def test_json_holds_everything_and_adds_up(run, engine) -> None:
    told = json.loads(run("explain", *CASE, "-c", "gtps", "-c", "dvt", "--json").out)
    assert told["status"] == "ok"
    assert told["method"] == engine.explain(FINDINGS, "gtps").method
    assert {row["cause"] for row in told["causes"]} == {"gtps", "dvt"}
    for row in told["causes"]:
        lines = [one for one in told["contributions"] if one["cause"] == row["cause"]]
        change = row["log_odds"] - row["prior_log_odds"]
        assert sum(one["contribution"] for one in lines) == pytest.approx(change, abs=1e-9)
        assert {one["observation"] for one in lines} == set(FINDINGS)
    assert {row["cause"] for row in told["away"]} <= {"gtps", "dvt"}
    assert len(told["could_matter"]) == 10
    assert told["intended_use"] == engine.knowledge.model.intended_use


def test_infinite_contributions_are_null_in_json_and_words_in_text(run) -> None:
    case = ("antipsychotic_use=absent", "fever", "-c", "nms")
    told = json.loads(run("explain", *case, "--json").out)
    values = {one["observation"]: one["contribution"] for one in told["contributions"]}
    assert values == {"antipsychotic_use": None, "fever": 0.0}
    out = flat(run("explain", *case).out)
    assert "By its definition in the model it is impossible with what was answered on:" in out
    assert "An answer can be wrong" in out
    # No further answer changes what is impossible by definition.
    assert told["could_matter"] == []
    assert "Would matter" not in out


def test_impossible_findings_are_said_to_clash(run) -> None:
    ran = run("explain", "menstrual_cyclic", "sex=male")
    assert ran.code == 0
    assert "cannot occur together in this model: " in flat(ran.out)
    told = json.loads(run("explain", "menstrual_cyclic", "sex=male", "--json").out)
    assert told["status"] == "impossible"
    assert set(told["clashes"]) == {"menstrual_cyclic", "sex"}


def test_nothing_known_is_said(run) -> None:
    out = flat(run("explain", "fair_pos=unknown").out)
    assert "Nothing is known of this case" in out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "arguments: expected findings, such as fever=present, got none."),
        (
            ("fair_pos", "-c", "gpts"),
            "cause: expected the id of a cause, got 'gpts'. Nearest: gtps",
        ),
        (("fair_poss",), "Nearest: fair_pos"),
        (("fair_pos=perhaps",), "fair_pos: expected present, absent or unknown"),
    ],
)
def test_slips_are_told_in_one_line(run, arguments: tuple[str, ...], complaint: str) -> None:
    ran = run("explain", *arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert complaint in ran.err
    assert len(ran.err.splitlines()) == 1
