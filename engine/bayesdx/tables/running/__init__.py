"""Scoring tables of any size: streamed, resumable, accounted for.

==============  =================================================================================
`runs`          `score_table`: the whole of a run
`pipeline`      threads that keep the order
`work`          what is done with one chunk
`encoders`      tables as bytes: CSV, JSON lines, Arrow
`rejects`       records with faults, and why
`counts`        what became of the records
`parts`         finished parts on disk, the manifest and the journal
`disk`          files that survive a power cut; the lock
`finishing`     from parts to the output under its name
`audit`         what a run was made from
`verify`        a sample scored again and compared
`target`        where scores go, and in which format
==============  =================================================================================
"""

from bayesdx.tables.running.counts import Counts
from bayesdx.tables.running.runs import RUN_ROWS, RunOptions, RunReport, score_table

__all__ = ["RUN_ROWS", "Counts", "RunOptions", "RunReport", "score_table"]
