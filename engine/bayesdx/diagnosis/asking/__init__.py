"""What to ask next, and when no answer that is left can change the urgency."""
