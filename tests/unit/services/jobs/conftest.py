"""The Core with a clock that only tests move, and builders of pipelines."""

from tests.support.timed_world import clock, core, pytest_generate_tests, world

__all__ = ["clock", "core", "pytest_generate_tests", "world"]
