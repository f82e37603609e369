"""One run of a table: a plan of partitions, a pool that does them, parts on disk, publication.

================  ================================================================================
`table_run`       `score_table`: the whole of a run, on this machine or by a Dask cluster
`chunk_job`       what is done with one chunk, whoever does it
`partition_plan`  partitions of a cluster: what is to be done, what is missing
`partition_job`   what a worker does with one of them
`thread_pool`     threads that keep the order
`dask_pool`       the only module that imports Dask: partitions, workers, retries
`part_store`      finished parts on disk, the manifest and the journal
`publish`         from parts to the output under its name
`counts`          what became of the records
`rejects`         records with faults, and why
`audit`           what a run was made from
`verification`    a sample scored again and compared
================  ================================================================================
"""
