"""The sweep over a batch of cases, on NumPy alone: leaves first, then the core, there and back."""
