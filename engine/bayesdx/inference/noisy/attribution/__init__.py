"""What each observation of a case does to its causes: every subset of them from one sweep."""
