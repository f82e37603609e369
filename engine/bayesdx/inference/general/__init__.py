"""Exact answers on any discrete network: plans, kept by evidence signature, run over batches."""
