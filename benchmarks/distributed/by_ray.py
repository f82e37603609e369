"""Score a folder of Parquet with Ray Data instead of Dask: ``pip install ray`` beside bayesdx.

    python benchmarks/distributed/by_ray.py IN/ OUT/ [--priors FOLDER]

A line a partition is all that another system needs: `bayesdx.tables.partitions.score_partition` is
a function of its rows and of the knowledge, which travels with the call and is unpacked once in
each worker process. Rows that cannot be read stay, with status ``rejected`` and their faults, so
that rows in are rows out.
"""

from __future__ import annotations

import argparse

import ray

from bayesdx.tables.partitions import score_partition
from bayesdx.tables.serialisation import knowledge_files

BATCH_ROWS = 20_000


def score_by_ray(cases: str, scores: str, priors: str | None, batch_rows: int) -> None:
    """Score every row; Ray decides where, and in which order the files are written."""
    ray.data.read_parquet(cases).map_batches(
        score_partition,
        batch_format="pandas",
        batch_size=batch_rows,
        fn_kwargs={"knowledge": knowledge_files(priors), "on_error": "reject"},
    ).write_parquet(scores)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("cases", help="a folder of Parquet files that every worker can read")
    parser.add_argument("scores", help="a new folder")
    parser.add_argument("--priors", help="a knowledge folder; by default the packaged one")
    parser.add_argument("--batch-rows", type=int, default=BATCH_ROWS)
    parser.add_argument("--cpus", type=int, help="of this machine; without it, a running cluster")
    words = parser.parse_args()
    own = {"num_cpus": words.cpus, "include_dashboard": False} if words.cpus else {}
    ray.init(log_to_driver=False, **own)
    score_by_ray(words.cases, words.scores, words.priors, words.batch_rows)


if __name__ == "__main__":
    main()
