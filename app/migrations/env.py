"""Alembic's entry: runs the migrations on the engine that `app.schema` hands over."""

from alembic import context

from app.models import Base
from app.schema import is_described

engine = context.config.attributes["engine"]

with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=True,
        include_name=is_described,
        user_module_prefix="app.models.base.",
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
