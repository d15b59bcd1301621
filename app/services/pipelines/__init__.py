"""Pipelines from a configuration's text to their end."""
