"""Who is told when something changes: in memory, or by LISTEN/NOTIFY."""

from app.config import Config
from app.events.base import Bus


def create_bus(config: Config) -> Bus:
    """The bus for `config`. PostgreSQL's driver is only loaded for a server that has one."""
    if config.is_sqlite:
        from app.events.memory import MemoryBus

        return MemoryBus(config.max_waiting)
    from app.events.postgresql import PostgresBus

    return PostgresBus(config.database_url, config.max_waiting)
