"""One case under many assumptions: one plan, the assumptions its columns."""
