"""What people do with a job, what time does with it, and its log."""
