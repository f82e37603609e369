"""Exact inference in layered noisy networks: risks, causes, noisy-OR and noisy-MAX findings."""
