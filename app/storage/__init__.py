"""Bytes: traces and artifacts. Rows know where they lie; nothing here knows a row."""
