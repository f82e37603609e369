"""Questions about a case: here knowledge and inference meet."""
