"""Inputs one after another in a process of their own, each bounded in time and memory.

By hand: ``python tests/support/bounded_inputs.py wild_tables 20000 --seed 7``. Each input is drawn
from the seed and its number, so that one can be repeated alone: ``--first NUMBER``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

#: Seconds of processor time, and bytes beyond what the process holds at the beginning.
SECONDS, MEMORY = 10, 1 << 30

#: Takes one input from a generator of random numbers and says what became of it; anything that it
#: raises is a defect.
Take = Callable[[random.Random], str]


def run_bounded(module: str, seed: int, count: int, seconds: int = SECONDS) -> Counter[str]:
    """Give so many inputs to what ``prepare(folder)`` of a module of this folder returns.

    Returns
    -------
    Counter
        How many inputs had which outcome.

    Raises
    ------
    AssertionError
        An input raised what is not ours, took too long, took too much, or ended the process; with
        the seed and the number of the input.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", "import bounded_inputs; bounded_inputs.main()"]
        here = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
        ran = subprocess.run(
            [*command, module, str(count), "--seed", str(seed), "--seconds", str(seconds)],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": here, "OMP_NUM_THREADS": "1"},
        )
        at = Path(folder, "at")
        number = at.read_text() if at.exists() else "none"
    place = f"{module}, seed {seed}, input {number}, exit {ran.returncode}"
    assert ran.returncode == 0, f"{place}\n{ran.stderr[-4000:]}"
    return Counter(json.loads(ran.stdout.splitlines()[-1])["outcomes"])


def main() -> None:
    """Take inputs in this process, in a fresh folder, and print what became of them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("module")
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    asked = parser.parse_args()
    # What kills the process still tells which input did.
    at = os.open("at", os.O_CREAT | os.O_WRONLY)
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("error")
        take: Take = importlib.import_module(asked.module).prepare(Path(scratch))
        _limit_memory()
        outcomes: Counter[str] = Counter()
        slowest, slow = 0.0, -1
        for number in range(asked.first, asked.first + asked.count):
            os.pwrite(at, str(number).encode(), 0)
            begin = time.process_time()
            _limit_time(begin + asked.seconds)
            try:
                outcomes[take(random.Random(f"{asked.seed}/{number}"))] += 1
            except BaseException:  # noqa: BLE001 - whatever it is, the input is told
                print(f"seed {asked.seed}, input {number}", traceback.format_exc(), file=sys.stderr)
                sys.exit(1)
            spent = time.process_time() - begin
            if spent > slowest:
                slowest, slow = spent, number
    found = {"outcomes": outcomes, "slowest": round(slowest, 3), "slow input": slow}
    print(json.dumps({**found, "peak MB": _peak() >> 20}))


def _limit_time(end: float) -> None:
    """Let the system end this process at a time of its processor, in whatever code it is then."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(end), hard))


def _limit_memory() -> None:
    import resource

    held = 0
    status = Path("/proc/self/status")
    if status.exists():
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        held = int(fields["VmData"].split()[0]) << 10
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (held + MEMORY, hard))


def _peak() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
