"""Why a cause is as probable as it is."""
