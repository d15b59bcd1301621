"""People, their passwords and their tokens."""
