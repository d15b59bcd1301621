"""Artifacts: taken in, handed out, kept and removed."""
