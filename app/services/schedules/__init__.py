"""Schedules: pipelines that start by the clock."""
