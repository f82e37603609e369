"""Real processes, really killed, at random moments, again and again."""

import json
import os
import random
import signal
import time
from pathlib import Path

import pytest
from nursery import Nursery
from small_cases import write_cases

EXITS = {signal.SIGKILL: -signal.SIGKILL, signal.SIGTERM: 143, signal.SIGINT: 130}


def arguments(cases: Path, out: Path, priors: Path) -> list[str]:
    options = ["--chunk-rows", "20", "--workers", "2", "--resume", "-p", str(priors)]
    return ["score", str(cases), "-o", str(out), *options]


def parts_done(out: Path) -> int:
    journal = out.with_name(f"{out.name}.parts") / "journal.jsonl"
    try:
        return journal.read_bytes().count(b"\n")
    except OSError:
        return 0


def chain(nursery: Nursery, command: list[str], out: Path, kills: int, seed: int) -> list[int]:
    """Kill the scorer a number of times; return how many parts were finished at each death."""
    rng = random.Random(seed)
    found, hints = [], 0
    while len(found) < kills:
        child = nursery.start(*command)
        more, latest = parts_done(out) + rng.randrange(4), time.monotonic() + 30
        while parts_done(out) < more and time.monotonic() < latest:
            time.sleep(0.001)
        time.sleep(rng.random() / 50)
        number = rng.choice(list(EXITS))
        os.kill(child, number)
        code, said = nursery.end()
        assert "Traceback" not in said
        # Before the command has begun to work, nobody but Python meets the signal.
        assert code in (EXITS[number], -number), (number, parts_done(out), found, said)
        assert not out.exists()
        found.append(parts_done(out))
        hints += "the same command with --resume goes on from there.\n" in said
    # Whoever was asked to end while it worked said how to go on; some were still loading.
    assert hints > 0
    return found


def check_chain(tmp_path: Path, priors: Path, name: str, kills: int, rows: int, seed: int) -> None:
    cases = write_cases(tmp_path / "c.csv", rows)
    once, often = tmp_path / "once" / name, tmp_path / "often" / name
    once.parent.mkdir()
    often.parent.mkdir()
    with Nursery(tmp_path) as nursery:
        nursery.start(*arguments(cases, once, priors))
        assert nursery.end()[0] == 0
        found = chain(nursery, arguments(cases, often, priors), often, kills, seed)
        nursery.start(*arguments(cases, often, priors))
        code, said = nursery.end()
        assert code == 0, said
    # Nothing that was finished was ever lost, and the killing met runs in their middle.
    assert found == sorted(found)
    assert len(set(found)) > 2
    assert often.read_bytes() == once.read_bytes()
    assert sorted(one.name for one in often.parent.iterdir()) == [name, f"{name}.audit.json"]
    audits = [json.loads(at.with_name(f"{name}.audit.json").read_text()) for at in (once, often)]
    assert audits[0]["counts"] == audits[1]["counts"]
    assert audits[1]["run"]["records_of_interrupted_runs"] == min(found[-1] * 20, rows)


@pytest.mark.parametrize(
    ("name", "kills", "seed"),
    [
        ("o.csv", 6, 1),
        pytest.param("o.csv", 40, 2, marks=pytest.mark.slow),
        pytest.param("o.csv.gz", 40, 3, marks=pytest.mark.slow),
        pytest.param("o.parquet", 40, 4, marks=pytest.mark.slow),
    ],
)
def test_killed_again_and_again(
    tmp_path: Path, priors: Path, name: str, kills: int, seed: int
) -> None:
    check_chain(tmp_path, priors, name, kills, rows=kills * 300, seed=seed)


def test_two_processes_and_one_output(tmp_path: Path, priors: Path) -> None:
    cases, out = write_cases(tmp_path / "c.csv", 4000), tmp_path / "o.csv"
    command = arguments(cases, out, priors)
    with Nursery(tmp_path) as first, Nursery(tmp_path) as second:
        holder = first.start(*command)
        latest = time.monotonic() + 30
        while not parts_done(out) and time.monotonic() < latest:
            time.sleep(0.005)
        os.kill(holder, signal.SIGSTOP)
        second.start(*command)
        code, said = second.end()
        assert code == 2
        assert f"got process {holder}, which does." in said
        os.kill(holder, signal.SIGKILL)
        assert first.end()[0] == -signal.SIGKILL
        # Its lock died with it.
        second.start(*command)
        code, said = second.end()
        assert code == 0, said
        assert "rows were finished by an interrupted run" in said
