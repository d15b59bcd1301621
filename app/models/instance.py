"""Rows of the installation itself."""

from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Key, Word


class Setting(Base):
    """One value of the installation: `registration_token_hash`, `registration_token_sealed`, `instance_id` …"""

    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(Word, primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class Counter(Base):
    """A number that only grows. `queue` ticks whenever a job becomes pending or a runner changes (gitlab.md A.3)."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(Word, primary_key=True)
    value: Mapped[int] = mapped_column(Key, default=0)


class Leader(Base):
    """Which process does the background work, and until when it holds that right."""

    __tablename__ = "leaders"

    name: Mapped[str] = mapped_column(Word, primary_key=True)
    holder: Mapped[str] = mapped_column(Word)
    expires_at: Mapped[datetime]
