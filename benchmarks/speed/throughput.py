"""How many cases a second ``Engine.score`` answers from words, beside an older engine.

Run ``python benchmarks/speed/throughput.py --baseline OTHER/engine [--priors FOLDER]``, where
``OTHER`` is a checkout of another commit; the same Python serves both. The same rows of words,
drawn by this checkout with a seed, are scored by each engine in processes of its own, in turn, on
one core, and the least CPU time counts. Rows are taken in blocks; a block that one of the engines
refuses as a whole counts for neither and is told. Only ratios within a run can be compared.

*sampled*: 20 to 35 % of findings and risks asked. *asked*: all findings, 20 to 35 % of the risks.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve()
ROOT = HERE.parents[2]
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
#: What is drawn: rows, rows a block, and the options of `bayesdx sample`.
KINDS: dict[str, tuple[int, int, list[str]]] = {
    "sampled": (200_000, 20_000, ["--asked", "0.2", "0.35"]),
    "asked": (2_000, 20, ["--asked", "1", "1", "--risks-asked", "0.2", "0.35"]),
}


def measure(path: Path, block: int, backend: str, priors: str | None) -> dict[str, Any]:
    """Score a file's rows block by block; CPU seconds of each, NaN where the block was refused."""
    import bayesdx

    engine = bayesdx.load(priors, backend=backend)
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    columns = [name for name in table.columns if name not in ("case_id", "source", "note")]
    table = table[columns]
    engine.score(table.head(min(block, 4096)))
    seconds = []
    for first in range(0, len(table), block):
        part = table.iloc[first : first + block]
        start = time.process_time()
        try:
            engine.score(part)
            seconds.append(time.process_time() - start)
        except bayesdx.BayesdxError:
            seconds.append(float("nan"))
    return {"seconds": seconds}


def in_a_process(engine: Path, arguments: list[str]) -> dict[str, Any]:
    """Measure one engine in a process of its own, pinned to one core where that can be done."""
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(engine)}
    command = [sys.executable, str(HERE), "--child", *arguments]
    pin = getattr(os, "sched_setaffinity", None)
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=None if pin is None else lambda: pin(0, {max(os.sched_getaffinity(0))}),
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Draw rows, score them by both engines, print ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--baseline", type=Path, metavar="ENGINE_DIR")
    parser.add_argument("--priors", help="knowledge that both engines can read")
    parser.add_argument("--backend", default="compiled", choices=["numpy", "compiled", "auto"])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the rows")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--child", nargs=4, metavar=("PATH", "BLOCK", "BACKEND", "PRIORS"))
    options = parser.parse_args()
    if options.child:
        path, block, backend, priors = options.child
        print(json.dumps(measure(Path(path), int(block), backend, priors or None)))
        return
    engines = {"this": ROOT / "engine"}
    if options.baseline:
        engines["baseline"] = options.baseline
    with tempfile.TemporaryDirectory() as folder:
        for kind in options.kinds.split(","):
            rows, block, drawing = KINDS[kind]
            path = Path(folder) / f"{kind}.csv"
            draw = ["sample", str(int(rows * options.scale)), "-o", str(path), "--quiet"]
            draw += [*drawing, *(["-p", options.priors] if options.priors else [])]
            subprocess.run(
                [sys.executable, "-m", "bayesdx", *draw, "--measures", "0"],
                check=True,
                env={**os.environ, "PYTHONPATH": str(engines["this"])},
            )
            arguments = [str(path), str(block), options.backend, options.priors or ""]
            runs: dict[str, list[Any]] = {name: [] for name in engines}
            for _ in range(options.repeats):
                for name, engine in engines.items():
                    runs[name].append(in_a_process(engine, arguments)["seconds"])
            report(kind, block, {name: np.min(one, axis=0) for name, one in runs.items()})


def report(kind: str, block: int, seconds: dict[str, Any]) -> None:
    """Print cases a second of the blocks that every engine answered, and the ratio."""
    answered = np.all([np.isfinite(one) for one in seconds.values()], axis=0)
    total = {name: float(one[answered].sum()) for name, one in seconds.items()}
    n = int(answered.sum()) * block
    line = f"{kind}: " + ", ".join(f"{name} {n / one:,.0f} cases/s" for name, one in total.items())
    if "baseline" in total:
        line += f", {total['baseline'] / total['this']:.2f} times"
    refused = {name: int((~np.isfinite(one)).sum()) for name, one in seconds.items()}
    told = ", ".join(f"{name} {count}" for name, count in refused.items() if count)
    print(line + f" ({n} rows)" + (f"; blocks refused: {told}" if told else ""), flush=True)


if __name__ == "__main__":
    main()
