"""Tables of cases as streams: CSV, JSON lines, Parquet, compressed or not, in bounded memory."""

from bayesdx.tables.sources.chunks import CHUNK_ROWS, CODED_TEXT, CaseSource, Chunk, RowFault
from bayesdx.tables.sources.opening import open_cases

__all__ = ["CHUNK_ROWS", "CODED_TEXT", "CaseSource", "Chunk", "RowFault", "open_cases"]
