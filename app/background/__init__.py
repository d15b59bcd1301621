"""The leader's loop: what has to happen without anybody asking. Only `skerry serve` starts it, after its fork."""

from app.background.loop import Background

__all__ = ["Background"]
