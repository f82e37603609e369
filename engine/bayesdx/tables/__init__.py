"""Tables of cases and of posteriors: reading, writing, and the columns that are not findings."""

from importlib import import_module

from bayesdx.tables.frame_files import (
    check_new_folder,
    check_place,
    csv_text,
    refuse_overwriting,
    write_files,
    write_table,
    write_whole,
)
from bayesdx.tables.reserved import CASE_ID, RESERVED, finding_columns, with_case_ids
from bayesdx.tables.whole_tables import parse_csv, read_cases

__all__ = [
    "CASE_ID",
    "RESERVED",
    "check_new_folder",
    "check_place",
    "csv_text",
    "finding_columns",
    "parse_csv",
    "read_cases",
    "refuse_overwriting",
    "with_case_ids",
    "write_files",
    "write_table",
    "write_whole",
]

_PARTITIONS = frozenset({"partition_schema", "score_partition", "score_partitions"})


def __getattr__(name: str) -> object:
    # Imported when asked for: reading a small table waits for neither Arrow nor an engine.
    if name in _PARTITIONS:
        return getattr(import_module("bayesdx.tables.partitions"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
