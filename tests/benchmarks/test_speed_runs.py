"""Runs of the speed benchmark: shared-out time, interruption, the command line, the report."""

import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bayesdx.inference import NoisyModel, posteriors

pytest.importorskip("pyagrum")


def test_the_report_of_one_network(s: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = "pyAgrum ShaferShenoy"
    monkeypatch.setattr(s.report, "PEERS", {engine: s.peers.PEERS[engine]})
    tiny = replace(s.report.QUICK_SIZE, rows=200, batches=2, seconds=0.1)
    monkeypatch.setattr(s.report, "QUICK_SIZE", tiny)
    asked = ["--quick", "--networks", "asia", "--shapes", "fixed", "--out", str(tmp_path)]
    s.report.main(asked)
    found = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    part = found["networks"]["asia"]["shapes"]["fixed"]
    assert part["peers"][engine]["status"] == "equal"
    assert part["peers"][engine]["difference"] < 1e-12
    assert part["ratio"] > 1.0
    assert part["bayesdx"]["peak_mb"] > 10.0
    assert [aim["what"] for aim in found["aims"]] == ["asia, fixed columns, times pyAgrum"]
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "| asia    | fixed" in text
    assert "networks.png" in text
    # The same command goes on where it stopped: there is nothing left to ask.
    monkeypatch.setattr(s.report, "run_child", lambda *_, **__: pytest.fail("asked again"))
    s.report.main(asked)
    again = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert again["networks"] == found["networks"]


class TestRuns:
    """Budgets, what an interrupted run keeps, and what the command line takes."""

    def test_time_left_over_goes_to_the_next_and_none_is_made_up(self, s: Any) -> None:
        budget = s.sizes.Budget(2.0, 4)
        assert budget.next_share() == pytest.approx(30.0, abs=1.0)
        budget.begun -= 100.0
        assert budget.next_share() == pytest.approx(20.0 / 3.0, abs=1.0)
        budget.begun -= 100.0
        assert budget.next_share() == 0.0
        asked = s.sizes.limits("pyAgrum Lazy", 0.0, 2, s.sizes.FULL_SIZE)
        assert asked.wall == s.sizes.LEAST

    def test_all_engines_together_keep_to_their_network(self, s: Any) -> None:
        engines = ("bayesdx", *s.peers.PEERS)
        walls = [s.sizes.limits(one, 60.0, 2, s.sizes.FULL_SIZE).wall for one in engines]
        assert 2.0 * sum(walls) == pytest.approx(60.0)

    def test_a_slow_peer_is_asked_few_rows(self, s: Any, asia: Any) -> None:
        class Slow(s.peers.Agrum):  # type: ignore[misc]
            def ask(self, prepared: Any) -> Any:
                end = time.process_time() + 0.11
                while time.process_time() < end:
                    pass
                return super().ask(prepared)

        asked = s.peers.ask_rows(Slow(asia.network, "LazyPropagation"), asia.rows, 20, 60.0)
        assert len(asked.seconds) == s.peers.FEWEST

    def test_a_shape_is_done_though_the_child_ended_in_the_next(self, s: Any) -> None:
        told = [
            {"event": "ready"},
            {"event": "rows", "shape": "fixed"},
            {"event": "done", "shape": "fixed"},
            {"event": "rows", "shape": "random"},
        ]
        outcome = s.children.Outcome("timed out", "more than 3 s", told)
        fixed, random = (s.report.of_shape(outcome, shape) for shape in ("fixed", "random"))
        assert (fixed.status, len(fixed.events)) == ("done", 3)
        assert (random.status, random.reason) == ("timed out", "more than 3 s")

    def test_an_engine_that_ends_in_one_shape_is_asked_the_other(
        self, s: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[list[str]] = []

        def child(script: str, job: dict[str, Any], **limits: float) -> Any:
            asked.append(list(job["shapes"]))
            event = {"event": "rows", "shape": job["shapes"][0]}
            return s.children.Outcome("killed", "exit code -9", [event])

        monkeypatch.setattr(s.report, "run_child", child)
        size = s.sizes.QUICK_SIZE
        found = s.report.run_shapes({"peer": "pgmpy VE"}, ("fixed", "random"), size, 60.0)
        assert asked == [["fixed", "random"], ["random"]]
        assert {one.status for one in found.values()} == {"killed"}

    def test_only_a_run_of_the_same_kind_is_gone_on_with(self, s: Any, tmp_path: Path) -> None:
        told = s.resuming.about(0, True)
        report = {**s.resuming.empty(told), "networks": {"asia": {"shapes": {}}}}
        s.resuming.save(report, tmp_path)
        path = tmp_path / "report.json"
        assert s.resuming.resumed(path, s.resuming.about(0, True))["networks"] == report["networks"]
        assert s.resuming.resumed(path, s.resuming.about(1, True))["networks"] == {}
        path.write_text("{", encoding="utf-8")
        assert s.resuming.resumed(path, told)["networks"] == {}

    def test_growth_is_measured_once_and_kept_after_each_part(
        self, s: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []

        def child(part: str, size: Any, seed: int, total: float, **job: Any) -> Any:
            asked.append(part)
            if len(asked) == 3:
                raise KeyboardInterrupt
            return s.children.Outcome("done", "", [{"event": part, "n": 0}])

        monkeypatch.setattr(s.growing, "grow", child)
        size = replace(s.sizes.QUICK_SIZE, growth_rows=(), positives=(), causes=(3,))
        kept: list[dict[str, Any]] = []
        with pytest.raises(KeyboardInterrupt):
            s.growing.measure_growth(size, 0, 1.0, {}, kept.append)
        assert len(kept[-1]["done"]) == 2
        found = s.growing.measure_growth(size, 0, 1.0, kept[-1], kept.append)
        assert len(found["done"]) == len(s.growing.jobs(size)) == len(asked) - 1

    def test_flatness_is_the_largest_change_from_ten_thousand_rows(self, s: Any) -> None:
        pairs = ((100, 90.0), (10_000, 10.0), (100_000, 11.0), (1_000_000, 8.5))
        rows = [{"n": n, "us_a_row": us} for n, us in pairs]
        assert s.growing.flatness(rows) == pytest.approx(0.15)
        assert s.growing.flatness(rows[:2]) is None

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--networks", "asia,alram"], "expected some of default, asia, .* got 'asia,alram'"),
            (["--shapes", "square"], "expected some of fixed, random, got 'square'"),
            (["--budget", "0"], "expected minutes above 0, got 0"),
        ],
    )
    def test_slips_on_the_command_line(
        self, s: Any, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
    ) -> None:
        with pytest.raises(SystemExit, match="2"):
            s.report.main(arguments)
        assert re.search(said, " ".join(capsys.readouterr().err.split()))

    def test_operations_of_the_sweep_are_counted_and_the_sweep_left_alone(
        self, s: Any, model: NoisyModel
    ) -> None:
        evidence = s.networks.diagnosis_cases(model, 6, 0)
        before = posteriors(model, evidence, backend="numpy").causes
        counted = s.growth.counted_operations(model, evidence)
        assert counted > 1000.0
        twice = s.growth.counted_operations(model, evidence.take(np.repeat(np.arange(6), 2)))
        assert twice >= counted
        np.testing.assert_array_equal(posteriors(model, evidence, backend="numpy").causes, before)
