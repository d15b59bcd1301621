"""Use cases of proving who a job is."""
