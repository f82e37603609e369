"""The same scoring on many machines, by Dask: Parquet in, a folder of Parquet files out.

===========  ====================================================================================
`runs`       `score_distributed`: the whole of a run, on the machine that starts it
`jobs`       what one task does, on a worker
`folder`     the unfinished run on a disk that all machines share
`cluster`    the only module that imports Dask: knowledge on workers, tasks, retries
===========  ====================================================================================

Each partition is a whole number of the chunks of a run on one machine, so every number is the same
as there. A worker writes its partition under a temporary name and gives it its own name when it is
whole, then writes a receipt; doing a partition twice does no harm. Scheduling, retries and what
happens when workers die are Dask's.
"""

from bayesdx.tables.distributed.runs import PART_CHUNKS, Cluster, score_distributed

__all__ = ["PART_CHUNKS", "Cluster", "score_distributed"]
