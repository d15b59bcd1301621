"""Who is told when something changes: in memory, or by LISTEN/NOTIFY."""

from app.config import Config
from app.events.base import Bus
from app.events.memory import MemoryBus
from app.events.postgresql import PostgresBus


def create_bus(config: Config) -> Bus:
    """The bus for `config`."""
    if config.is_sqlite:
        return MemoryBus(config.max_waiting)
    return PostgresBus(config.database_url, config.max_waiting)
