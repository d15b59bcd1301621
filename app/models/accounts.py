"""People and their tokens."""

from datetime import datetime

from flask_login import UserMixin
from sqlalchemy import ForeignKey, Index, String, Text, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Key, Word


class User(UserMixin, Base):
    """Someone who signs in. `password_hash` None: cannot sign in with a password. `bot`: nobody, see `grants.Bot`."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    username: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(255))
    email: Mapped[str] = mapped_column(String(255), default="")
    password_hash: Mapped[str | None] = mapped_column(Text)
    is_admin: Mapped[bool] = mapped_column(default=False)
    blocked: Mapped[bool] = mapped_column(default=False)
    bot: Mapped[bool] = mapped_column(default=False)
    session_nonce: Mapped[str] = mapped_column(Word)
    created_at: Mapped[datetime]
    last_sign_in_at: Mapped[datetime | None]

    tokens: Mapped[list["AccessToken"]] = relationship(back_populates="user", cascade="all, delete-orphan")

    __table_args__ = (Index("uq_users_username", func.lower(username), unique=True),)

    def get_id(self) -> str:
        """What the session cookie holds; a new nonce (sign out everywhere, new password) ends all sessions."""
        return f"{self.id}:{self.session_nonce}"

    @property
    def is_active(self) -> bool:
        return not self.blocked


class SignIn(Base):
    """A session of the pages that has not ended. Only the hash of what its cookie holds is stored.

    `last_used_at` is written once a day; `address` and `agent` are those of the sign-in, for their owner to know it by.
    """

    __tablename__ = "sign_ins"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(Word, unique=True)
    address: Mapped[str] = mapped_column(Word)
    agent: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]


class SignInGuess(Base):
    """Wrong passwords lately, of a name from a place or of a place alone: `key` is a keyed hash of that."""

    __tablename__ = "sign_in_guesses"

    key: Mapped[str] = mapped_column(Word, primary_key=True)
    wrong: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(index=True)


class AccessToken(Base):
    """A personal access token. Only its hash is stored; `hint` is what the list shows of it."""

    __tablename__ = "access_tokens"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    token_hash: Mapped[str] = mapped_column(Word, unique=True)
    hint: Mapped[str] = mapped_column(Word)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(back_populates="tokens")
