"""What would change an answer: other findings, other numbers, other priors."""
