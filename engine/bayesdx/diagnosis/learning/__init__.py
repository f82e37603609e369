"""Numbers learned from cases: labels, the posterior of the numbers, its mode, and honest scores."""
