"""Candor's plans: `candor.yml` or `candor.json` (candor.md A.4, A.5, A.8)."""

from app.dialects.candor.compiler import compile_text
from app.dialects.candor.configuration import Configuration, Invalid, read
from app.dialects.candor.loader import Unreadable, load

NAMES = ("candor.yml", "candor.yaml", "candor.json")
"""What a file with a plan is called."""

__all__ = ["NAMES", "Configuration", "Invalid", "Unreadable", "compile_text", "load", "read"]
