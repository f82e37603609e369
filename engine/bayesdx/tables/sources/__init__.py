"""Tables of cases as streams: CSV, JSON lines, Parquet, compressed or not, in bounded memory."""
