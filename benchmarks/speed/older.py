"""Another engine of this project on the rows of a file; run by `general.py` with its path.

Only what every version offers is imported: the network is read, and asked by tables and mappings.
"""

from __future__ import annotations

import time
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd
from children import child_job, tell

import bayesdx


def main() -> None:
    """Time batches after the first two, and single cases."""
    job = child_job()
    packed = resources.files("pgmpy") / "utils" / "example_models" / f"{job['network']}.bif.gz"
    with resources.as_file(packed) as path:
        network = bayesdx.read_network(path)
    with np.load(job["file"]) as kept:
        drawn, singles = kept["drawn"], kept["singles"]
    plan: Any = bayesdx.compile_network(network)
    names = [(name, np.array([*v.states, np.nan], object)) for name, v in network.variables.items()]
    batch, last = [], None
    for rows in drawn:
        columns = {name: words[rows[:, v]] for v, (name, words) in enumerate(names)}
        table = pd.DataFrame({k: v for k, v in columns.items() if not pd.isna(v).all()})
        start = time.process_time()
        last = plan.query(table)
        batch.append((time.process_time() - start) / len(rows))
    new = []
    for row in singles:
        case = {name: words[s] for (name, words), s in zip(names, row, strict=True) if s >= 0}
        best = np.inf
        for _ in range(3):
            start = time.process_time()
            plan.query(case)
            best = min(best, time.process_time() - start)
        new.append(best)
    assert last is not None
    values = np.concatenate(list(last.posteriors.values()), axis=1)
    np.save(job["answers"], values)
    tell("measured", batch=min(batch[1:]), new=float(np.median(new)))


if __name__ == "__main__":
    main()
