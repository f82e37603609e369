"""The sweep over a batch of cases, in NumPy: pendants first, then the 2-core, there and back."""
