"""Work in a process of its own, on one core, with limits: nothing that a peer does ends the run."""

from __future__ import annotations

import json
import os
import queue
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)
MEMORY = 8 << 30


@dataclass(frozen=True)
class Outcome:
    """What a child told before it ended, and how it ended.

    ``status`` is done, failed (it raised), out of memory, timed out or killed.
    """

    status: str
    reason: str
    events: list[dict[str, Any]] = field(default_factory=list)

    def told(self, kind: str, **fixed: object) -> list[dict[str, Any]]:
        """Events of one kind whose other entries are these."""
        return [
            event
            for event in self.events
            if event.get("event") == kind and all(event.get(k) == v for k, v in fixed.items())
        ]


def run_child(
    script: str,
    job: dict[str, Any],
    *,
    silence: float,
    total: float,
    memory: int = MEMORY,
    cores: int = 1,
    environment: Mapping[str, str] | None = None,
    interpreter: str = sys.executable,
) -> Outcome:
    """Run a script of this folder with a job and gather what it tells.

    Parameters
    ----------
    script : str
        File name; run with the job as JSON and the limits as arguments.
    silence : float
        Seconds after which a child that tells nothing is ended.
    total : float
        Seconds after which it is ended in any case.
    memory : int
        Bytes of address space.
    cores : int
        Cores that it may use.
    environment : mapping of str to str, optional
        Variables that it has besides this process's own.
    interpreter : str
        The Python that runs it, where a peer lives in an environment of its own.
    """
    command = [interpreter, str(HERE / script), json.dumps(job), str(memory), str(cores)]
    threads = {name: str(cores) for name in ONE_THREAD}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            env={**os.environ, **threads, "PYTHONWARNINGS": "ignore", **(environment or {})},
        ) as child:
            events, late = _listen(child, silence, total)
            code = child.wait()
        complaints.seek(0)
        last = (complaints.read().strip().splitlines() or [""])[-1]
    if late:
        return Outcome("timed out", late, events)
    failed = [event["reason"] for event in events if event.get("event") == "failed"]
    if failed:
        memory_gone = failed[0].startswith(("MemoryError", "bad_alloc", "OutOfMemory"))
        memory_gone = memory_gone or "std::bad_alloc" in failed[0]
        return Outcome("out of memory" if memory_gone else "failed", failed[0], events)
    if code:
        return Outcome("killed", last or f"exit code {code}", events)
    return Outcome("done", "", events)


def _listen(
    child: subprocess.Popen[str], silence: float, total: float
) -> tuple[list[dict[str, Any]], str]:
    """Read events until the child ends or is late; returns them and why it was ended."""
    lines: queue.Queue[str | None] = queue.Queue()

    def pump() -> None:
        assert child.stdout is not None
        for line in child.stdout:
            lines.put(line)
        lines.put(None)

    thread = threading.Thread(target=pump, daemon=True)
    thread.start()
    events: list[dict[str, Any]] = []
    end = time.monotonic() + total
    late = ""
    while True:
        try:
            line = lines.get(timeout=max(0.0, min(silence, end - time.monotonic())))
        except queue.Empty:
            at_end = time.monotonic() >= end
            late = f"more than {total:g} s" if at_end else f"more than {silence:g} s for one step"
            child.kill()
            break
        if line is None:
            break
        # A library may print too; only what starts like this is an event.
        if line.startswith('{"event"'):
            events.append(json.loads(line))
    thread.join(timeout=10.0)
    return events, late


def child_job() -> dict[str, Any]:
    """In the child: read the job from the command line and take on its limits."""
    job, memory, cores = json.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    stay_on(cores)
    result: dict[str, Any] = job
    return result


def stay_on(cores: int) -> None:
    """Keep this process on so many cores, where the system lets it."""
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, allowed[-cores:])


def tell(event: str, **entries: object) -> None:
    """In the child: tell the parent."""
    print(json.dumps({"event": event, **entries}), flush=True)


def peak_mb() -> float:
    """In the child: most memory that it held so far."""
    # ru_maxrss begins with what the parent held when it started this process; VmHWM does not.
    try:
        text = Path("/proc/self/status").read_text(encoding="ascii")
        return int(text.split("VmHWM:")[1].split()[0]) / 1024
    except (OSError, IndexError):
        unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
