"""Candor's plans: `candor.yml` or `candor.json` (candor.md A.4, A.8)."""

from app.dialects.candor.compiler import compile_text
from app.dialects.candor.configuration import Configuration, Invalid, read

__all__ = ["Configuration", "Invalid", "compile_text", "read"]
