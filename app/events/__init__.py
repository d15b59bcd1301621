"""Who is told when something changes: in memory, or by LISTEN/NOTIFY."""

from app.config import Config
from app.events.base import Bus
from app.events.memory import MemoryBus


def create_bus(config: Config) -> Bus:
    """The bus for `config`."""
    return MemoryBus(config.max_waiting)
