"""The quality benchmark: its measures by hand, and its promises about what is kept apart."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from asking_priors import ASKING
from scripts import BENCHMARKS, scripts
from small_priors import write_priors

import bayesdx
from bayesdx.building.assembly import Assembly
from bayesdx.inference import no_evidence
from bayesdx.inference.noisy.sampling import sample_cases
from bayesdx.knowledge.knowledge import Knowledge

FOLDER = BENCHMARKS / "quality"
#: In the order in which they need each other; figures needs matplotlib and is read on its own.
MODULES = (
    "metrics",
    "equal_priors",
    "surprise",
    "noise",
    "simulated",
    "orders",
    "interval_coverage",
    "scenarios",
    "interviews",
    "writing",
    "report",
    "card",
)


@pytest.fixture(scope="module")
def q() -> Iterator[Any]:
    """The modules of the benchmark, for as long as this file's tests run."""
    with scripts(FOLDER, MODULES) as modules:
        yield modules


class TestShares:
    def test_wilson_agrees_with_a_worked_example(self, q: Any) -> None:
        # Half of 29: the interval that scenarios/README.md quotes, about 33 % to 67 %.
        share = q.metrics.wilson(15, 29)
        assert (share.hits, share.n) == (15, 29)
        assert share.low == pytest.approx(0.3443, abs=5e-4)
        assert share.high == pytest.approx(0.6861, abs=5e-4)

    @pytest.mark.parametrize(("hits", "ends"), [(0, (0.0, 0.2775)), (10, (0.7225, 1.0))])
    def test_wilson_stays_inside_0_and_1(
        self, q: Any, hits: int, ends: tuple[float, float]
    ) -> None:
        share = q.metrics.wilson(hits, 10)
        assert (share.low, share.high) == pytest.approx(ends, abs=1e-4)

    def test_nothing_counted_is_no_share(self, q: Any) -> None:
        assert math.isnan(q.metrics.wilson(0, 0).share)

    def test_bootstrap_of_one_value_is_that_value(self, q: Any) -> None:
        mean = q.metrics.bootstrap_mean(np.full(5, 2.5), np.random.default_rng(0))
        assert mean == (5, 2.5, 2.5, 2.5)

    def test_position_counts_ties_half(self, q: Any) -> None:
        assert q.metrics.position(2.0, np.array([1.0, 2.0, 2.0, 3.0])) == 0.5
        assert q.metrics.position(-math.inf, np.array([1.0, 2.0])) == 0.0


class TestRanks:
    def test_ranks_by_hand(self, q: Any) -> None:
        others = np.array([0.9, 0.2, 0.1])
        assert q.metrics.mid_rank(0.5, others) == 2.0
        assert q.metrics.mid_rank(0.2, others) == 2.5

    def test_perfect_predictor_is_always_first(self, q: Any) -> None:
        ranks = np.ones(4)
        assert q.metrics.top_shares(ranks)[1].share == 1.0
        assert q.metrics.reciprocal(ranks).mean() == 1.0

    def test_one_who_says_the_same_of_all_is_in_the_middle(self, q: Any) -> None:
        assert q.metrics.mid_rank(0.1, np.full(8, 0.1)) == 5.0

    def test_mean_reciprocal_rank_by_hand(self, q: Any) -> None:
        assert q.metrics.reciprocal(np.array([1.0, 2.0, 4.0])).mean() == pytest.approx(7 / 12)

    def test_top_shares_by_hand(self, q: Any) -> None:
        top = q.metrics.top_shares(np.array([1.0, 2.0, 4.0, 9.0]))
        assert [top[k].hits for k in (1, 3, 5)] == [1, 2, 3]

    def test_unexplained_takes_the_place_of_a_cause_only_where_it_is_wanted(self, q: Any) -> None:
        scores = pd.DataFrame({"a": [0.3, 0.3], "b": [0.2, 0.2], "unexplained": [0.5, 0.25]})
        found = q.scenarios.ranks(scores, ["a", "b"], [("b",), ("unexplained",)])
        assert found.tolist() == [2.0, 2.0]

    def test_best_of_several_wanted_counts(self, q: Any) -> None:
        scores = pd.DataFrame({"a": [0.3], "b": [0.2], "c": [0.1], "unexplained": [0.5]})
        assert q.scenarios.ranks(scores, ["a", "b", "c"], [("c", "b")]).tolist() == [2.0]


class TestLogScores:
    def test_log_loss_by_hand(self, q: Any) -> None:
        loss = q.metrics.log_loss(np.array([1.0, 0.5]))
        assert loss == pytest.approx([0.0, math.log(2)])

    def test_certainty_of_the_wrong_thing_is_dear_but_finite(self, q: Any) -> None:
        assert q.metrics.log_loss(np.array([0.0]))[0] == pytest.approx(12 * math.log(10))

    def test_bernoulli_by_hand_with_one_cause_left_out(self, q: Any) -> None:
        said = np.array([[0.5, 0.25, 0.9]])
        truth = np.array([[True, False, False]])
        counted = np.array([[True, True, False]])
        loss = q.metrics.bernoulli_log_loss(said, truth, counted)
        assert loss == pytest.approx([math.log(2) + math.log(4 / 3)])


class TestCalibration:
    def test_brier_of_perfect_and_useless(self, q: Any) -> None:
        truth = np.array([True, False, True, False])
        assert q.metrics.brier(truth.astype(float), truth) == 0.0
        assert q.metrics.brier(np.full(4, 0.5), truth) == 0.25
        assert q.metrics.brier(1.0 - truth, truth) == 1.0

    @pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.5, -1.0), (2.0, 0.5)])
    def test_slope_and_intercept_are_found_again(
        self, q: Any, slope: float, intercept: float
    ) -> None:
        rng = np.random.default_rng(1)
        logit = rng.normal(-1.0, 1.5, size=100_000)
        said = 1.0 / (1.0 + np.exp(-logit))
        truth = rng.random(logit.size) < 1.0 / (1.0 + np.exp(-(intercept + slope * logit)))
        found = q.metrics.calibration(said, truth)
        assert found.slope == pytest.approx(slope, abs=0.04)
        assert found.intercept == pytest.approx(intercept, abs=0.04)

    @pytest.mark.parametrize(
        ("said", "truth"),
        [
            ([0.3, 0.3, 0.3], [True, False, False]),
            ([0.1, 0.2, 0.3], [False, False, False]),
            ([0.1, 0.2, 0.8], [False, False, True]),
        ],
        ids=["all alike", "no event", "separated"],
    )
    def test_no_slope_where_there_is_none(
        self, q: Any, said: list[float], truth: list[bool]
    ) -> None:
        assert math.isnan(q.metrics.calibration(np.array(said), np.array(truth)).slope)

    def test_reliability_by_hand(self, q: Any) -> None:
        said = np.array([0.0, 0.1, 0.6, 1.0])
        truth = np.array([False, True, False, True])
        bins = q.metrics.reliability(said, truth, np.array([0.0, 0.5, 1.0]))
        assert bins.n.tolist() == [2, 2]
        assert bins.predicted == pytest.approx([0.05, 0.8])
        assert bins.events.tolist() == [1, 1]

    def test_pooled_bins_are_those_of_all_cases_together(self, q: Any) -> None:
        rng = np.random.default_rng(2)
        said, edges = rng.random(200), np.linspace(0.0, 1.0, 6)
        truth = rng.random(200) < said
        whole = q.metrics.reliability(said, truth, edges)
        halves = [
            q.metrics.reliability(said[s], truth[s], edges) for s in np.split(np.arange(200), 2)
        ]
        pooled = q.metrics.pool_bins(halves)
        assert pooled.n.tolist() == whole.n.tolist()
        assert pooled.events.tolist() == whole.events.tolist()
        assert pooled.predicted == pytest.approx(whole.predicted)

    def test_sets_that_differ_widen_the_interval(self, q: Any) -> None:
        low_set = q.metrics.Reliability(np.array([500]), np.array([0.5]), np.array([100]))
        high_set = q.metrics.Reliability(np.array([500]), np.array([0.5]), np.array([400]))
        parts = [low_set, high_set] * 5
        low, high = q.metrics.clustered_interval(parts, np.random.default_rng(3))
        narrow = q.metrics.wilson_bins(q.metrics.pool_bins(parts))
        assert high[0] - low[0] > 3 * (narrow[1][0] - narrow[0][0])


class TestUrgency:
    def test_triage_by_hand(self, q: Any) -> None:
        expected, given = np.array([0, 0, 2, 3, 4]), np.array([0, 2, 3, 1, 4])
        found = q.metrics.triage(expected, given)
        assert [found[key].hits for key in ("under", "over", "exact")] == [2, 1, 2]
        assert found["under_levels"] == {1: 1, 2: 1}
        assert found["over_levels"] == {2: 1}
        assert found["mean_shift"] == pytest.approx(0.2)

    def test_rows_of_the_confusion_are_what_is_expected(self, q: Any) -> None:
        table = q.metrics.confusion(np.array([0, 0, 1]), np.array([1, 1, 0]), 2)
        assert table.tolist() == [[0, 2], [1, 0]]

    def test_every_missed_case_is_named_with_what_fired(self, q: Any) -> None:
        cases = q.scenarios.Labelled(
            ids=("A", "B", "C"),
            expected=("x", "x", "x"),
            acceptable=((), (), ()),
            urgency=("emergency", "urgent", "routine"),
            findings=pd.DataFrame(index=range(3)),
        )
        scores = pd.DataFrame(
            {"urgency": ["urgent", "soon", "emergency"], "red_flags": ["r1", "r2", "r3"]}
        )
        found = q.scenarios.urgency_summary(cases, scores)
        assert (found["recall"].hits, found["recall"].n) == (1, 2)
        assert [(one["case_id"], one["fired"]) for one in found["missed"]] == [("B", "r2")]
        assert found["called_though_not_labelled"].hits == 1


class TestEqualPriors:
    def test_all_causes_get_it_and_nothing_is_dropped_where_all_can_hold(
        self, q: Any, real_knowledge: Knowledge
    ) -> None:
        equal = q.equal_priors.with_equal_priors(real_knowledge, 1e-4)
        priors = {c.prior.value for c in equal.knowledge.causes.values() if c.kind == "cause"}
        assert priors == {1e-4}
        assert equal.dropped == ()

    def test_what_cannot_hold_is_dropped_and_named(self, q: Any, real_knowledge: Knowledge) -> None:
        cause = real_knowledge.causes["statin"]
        assert cause.requires, "the test needs a cause with a requirement"
        equal = q.equal_priors.with_equal_priors(real_knowledge, 0.9)
        assert "causes/statin.toml:requires" in equal.dropped
        assert equal.knowledge.causes["statin"].requires == ()


class TestNoise:
    def test_draws_have_the_stated_mean_or_median(self, q: Any, real_knowledge: Knowledge) -> None:
        uncertain = q.noise.uncertain_numbers(real_knowledge)
        rng = np.random.default_rng(4)
        draws = [q.noise.draw_values(uncertain, rng) for _ in range(400)]
        for place in ("causes/statin.toml:prior", "causes/statin.toml:links.deep_ache"):
            number, _ = draws[0][place]
            values = np.array([draw[place][1] for draw in draws])
            error = 4 * values.std() / math.sqrt(len(values))
            assert values.mean() == pytest.approx(number.value, abs=error)

    def test_stated_values_give_the_stated_knowledge(
        self, q: Any, real_knowledge: Knowledge
    ) -> None:
        uncertain = q.noise.uncertain_numbers(real_knowledge)
        numbers = {one.number.place: one.number for one in uncertain}
        stated = {place: number.value for place, number in numbers.items()}
        assert q.noise._Placed(numbers).knowledge(real_knowledge, stated) == real_knowledge

    def test_a_prior_that_cannot_hold_is_put_back_and_reported(
        self, q: Any, real_knowledge: Knowledge
    ) -> None:
        drawn = {
            one.number.place: (one.number, one.number.value)
            for one in q.noise.uncertain_numbers(real_knowledge)
        }
        place = "causes/statin.toml:prior"
        drawn[place] = (drawn[place][0], 0.9)
        draw = q.noise.assemble_draw(real_knowledge, drawn)
        assert draw.put_back == (place,)

    def test_the_same_seed_draws_the_same(self, q: Any, real_knowledge: Knowledge) -> None:
        uncertain = q.noise.uncertain_numbers(real_knowledge)
        one, two = (q.noise.draw_values(uncertain, np.random.default_rng(5)) for _ in range(2))
        assert {p: v for p, (_, v) in one.items()} == {p: v for p, (_, v) in two.items()}


class TestSurprise:
    def test_cases_of_the_model_are_rarely_surprising(
        self, q: Any, real_assembly: Assembly, real_knowledge: Knowledge
    ) -> None:
        model, rng = real_assembly.model, np.random.default_rng(6)
        sample = sample_cases(model, 120, rng)
        evidence = q.simulated.hide(real_knowledge, model, sample, rng)
        exact = evidence.lower == evidence.upper
        for keep in (True, False):
            found = q.surprise.surprise(model, evidence, exact, 60, rng, keep_risks=keep)
            assert found.surprising.mean() < 0.13
            assert found.position.mean() == pytest.approx(0.5, abs=0.1)

    def test_a_case_of_which_nothing_is_known_surprises_nobody(
        self, q: Any, real_assembly: Assembly
    ) -> None:
        model = real_assembly.model
        exact = np.zeros((1, len(model.ordinals)), dtype=bool)
        rng = np.random.default_rng(7)
        found = q.surprise.surprise(model, no_evidence(model, 1), exact, 20, rng, keep_risks=False)
        assert not found.surprising[0]


#: Cases of the small knowledge; on the packaged one an interview takes most of a minute.
CASES = """\
case_id,expected_cause,acceptable,urgency,age,cramp,radiation,ck,bulge,bulge_front,weeks,severe_pain
A,strain,,self_care,41,present,thigh,,absent,present,1,absent
B,statin_myopathy,clot,urgent,70,present,none,9,absent,,30,present
C,clot,,urgent,66,absent,,1,present,absent,3,
"""


@pytest.fixture(scope="module")
def interviewed(q: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[bayesdx.Engine, Any]:
    """A small knowledge with questions of every kind, and three cases of it."""
    folder = tmp_path_factory.mktemp("asking")
    (folder / "cases.csv").write_text(CASES)
    return (
        bayesdx.load(write_priors(folder / "priors", ASKING)),
        q.scenarios.read_labelled(folder / "cases.csv"),
    )


def few_scenarios(root: Path) -> None:
    """Two cases of both files, and one in each of which an emergency is missed."""
    (root / "scenarios").mkdir(parents=True)
    for name in ("documents", "published"):
        every = pd.read_csv(FOLDER.parents[1] / "scenarios" / f"{name}.csv", dtype=str)
        few = every.iloc[:80:40]
        bare = {"case_id": f"{few['case_id'].iloc[0][0]}999", "urgency": "emergency"}
        told = {"expected_cause": few["expected_cause"].iloc[0], "deep_ache": "present"}
        few = pd.concat([few, pd.DataFrame([bare | told])])
        few.to_csv(root / "scenarios" / f"{name}.csv", index=False)


@pytest.fixture(scope="module")
def quick(
    q: Any,
    interviewed: tuple[bayesdx.Engine, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[str, Any], Path]:
    """A run from end to end, smaller still than the quick one; interviews of a small knowledge."""
    small, cases = interviewed
    root = tmp_path_factory.mktemp("quality")
    folder = root / "new"
    few_scenarios(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(q.report, "QUICK", q.report.Size(2, 30, 10, interviews=2, random_orders=1))
        patch.setattr(q.interval_coverage, "QUICK", q.interval_coverage.Extent(2, 20, 1, 60))
        patch.setattr(q.report, "ROOT", root)
        led = q.interviews.measure
        patch.setattr(
            q.interviews,
            "measure",
            lambda _engine, found, *rest: led(small, cases.head(len(found)), *rest),
        )
        # As when the script runs: its own folder comes first, so that figures finds metrics.
        patch.syspath_prepend(str(FOLDER))
        q.report.main(["--quick", "--out", str(folder)])
    return json.loads((folder / "report.json").read_text(encoding="utf-8")), folder


class TestInterviews:
    def course(self, q: Any, *first: str) -> Any:
        put = tuple(range(0, 3 * len(first), 3))
        return q.interviews.Course(put, tuple(2.0 * p for p in put), first, first)

    def test_arrival_is_when_the_answer_stays(self, q: Any) -> None:
        arrival = q.interviews.arrival
        assert arrival(self.course(q, "a", "b", "a", "b", "b"), "first_cause", "b") == (9, 18.0)
        assert arrival(self.course(q, "b", "b"), "urgency", "b") == (0, 0.0)
        with pytest.raises(ValueError, match="was told everything"):
            arrival(self.course(q, "b", "a"), "first_cause", "b")

    def test_every_order_ends_where_the_whole_row_does(
        self, q: Any, interviewed: tuple[bayesdx.Engine, Any]
    ) -> None:
        engine, cases = interviewed
        rows = cases.findings.to_dict("records")
        scores = engine.score(cases.findings)
        wanted = q.interviews.first_causes(engine, scores)
        rng = np.random.default_rng(0)
        by_chance = q.interviews.at_random(engine, rows, 2, rng)
        for i, row in enumerate(rows):
            found = [q.interviews.adaptive(engine, row, order) for order in q.interviews.ADAPTIVE]
            for course in [*found, *by_chance[i]]:
                assert course.first_cause[-1] == wanted[i]
                assert course.urgency[-1] == scores["urgency"].iloc[i]
                assert list(course.put) == sorted(course.put)
                assert course.put[0] == 0

    def test_a_file_measured_twice_gives_the_same(
        self, q: Any, interviewed: tuple[bayesdx.Engine, Any]
    ) -> None:
        engine, cases = interviewed
        one, two = (q.interviews.measure(engine, cases, 2, 5) for _ in range(2))
        assert q.report.plain(one) == q.report.plain(two)
        assert one["n"] == 3
        for part in one["orders"].values():
            assert part["first_cause"]["curve"][-1] == 1.0
            assert (np.diff(part["first_cause"]["curve"]) >= 0.0).all()
        assert "greedy entropy" in q.writing.interview_table(one)


class TestReport:
    def test_the_two_files_are_never_pooled(self, quick: tuple[Any, Path]) -> None:
        report, folder = quick
        counts = {
            key: len(pd.read_csv(folder.parent / "scenarios" / f"{key}.csv"))
            for key in ("documents", "published")
        }
        assert {key: report[key]["n"] for key in counts} == counts
        for key, letter in (("documents", "D"), ("published", "P")):
            ids = [one["case_id"] for one in report[key]["cases"]]
            assert {one[0] for one in ids} == {letter}
            assert len(ids) == counts[key]
        # No count in the whole report is that of both files together.
        text = json.dumps(report["documents"]) + json.dumps(report["published"])
        assert f'"n": {sum(counts.values())}' not in text

    def test_documents_are_never_called_accuracy(self, q: Any, quick: tuple[Any, Path]) -> None:
        report, folder = quick
        text = (folder / "report.md").read_text(encoding="utf-8")
        sections = dict(part.split("\n", 1) for part in text.split("\n## ")[1:])
        assert list(sections)[:2] == [q.writing.DOCUMENTS, q.writing.PUBLISHED]
        assert "Self-consistency" in q.writing.DOCUMENTS
        body = sections[q.writing.DOCUMENTS]
        said = [line for line in body.splitlines() if "ccuracy" in line]
        assert all(line.startswith("May not be used to claim: accuracy.") for line in said)
        assert "published" not in body
        assert "documents.csv" not in sections[q.writing.PUBLISHED]
        assert report["documents"]["name"] != report["published"]["name"]

    def test_the_card_finds_its_figures_in_it(
        self, q: Any, quick: tuple[dict[str, Any], Path]
    ) -> None:
        report = quick[0]
        kept = q.card.measured_from(report, "0123")
        assert kept["date"] == report["about"]["date"][:10]
        labels = [row[0] for row in kept["rows"]]
        assert "findings surprise the model (5 % expected)" in labels
        assert all(len(row) == 1 + len(q.card.FILES) for row in kept["rows"])
        assert kept["interviews"].endswith("of 2 and 2 cases")
        figures = q.card.from_measured(kept, "0123")
        assert "have changed since" not in figures["measured_with"]

    def test_it_says_what_was_measured(self, quick: tuple[Any, Path]) -> None:
        about = quick[0]["about"]
        assert about["knowledge_digest"] == bayesdx.load().knowledge.digest
        assert about["seed"] == 0
        assert {"date", "numpy", "bayesdx", "python"} <= set(about)

    def test_every_missed_emergency_is_in_the_text(self, quick: tuple[Any, Path]) -> None:
        report, folder = quick
        text = (folder / "report.md").read_text(encoding="utf-8")
        for key in ("documents", "published"):
            assert "999" in str(report[key]["urgency"]["missed"])
            for missed in report[key]["urgency"]["missed"]:
                assert f"| {missed['case_id']} |" in text

    def test_json_has_no_bare_nan(self, q: Any) -> None:
        value = {"a": [math.nan, np.float64(1.0)], "b": q.metrics.wilson(0, 0), 3: np.arange(2)}
        plain = q.report.plain(value)
        assert plain["a"] == [None, 1.0]
        assert plain["b"]["share"] is None
        assert plain["3"] == [0, 1]

    def test_a_file_measured_twice_gives_the_same(self, q: Any, tmp_path: Path) -> None:
        engine = bayesdx.load()
        few_scenarios(tmp_path)
        path = tmp_path / "scenarios" / "published.csv"
        one, two = (q.scenarios.measure(path, engine, {}, 10, 3) for _ in range(2))
        assert q.report.plain(one) == q.report.plain(two)

    def test_every_figure_says_what_it_may_be_used_for(
        self, q: Any, quick: tuple[Any, Path]
    ) -> None:
        pytest.importorskip("matplotlib")
        report, folder = quick
        text = (folder / "report.md").read_text(encoding="utf-8")
        drawn = sorted(path.name for path in folder.glob("*.png"))
        assert drawn == sorted(report["figures"]) == sorted(f"{n}.png" for n in q.writing._MAY)
        assert text.count("May be used to claim") == text.count("![](") == len(drawn)
        assert all((folder / name).read_bytes().startswith(b"\x89PNG") for name in drawn)
