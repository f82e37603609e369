"""One case under many sets of parameters: one plan, the draws side by side (`draws`)."""
