"""Keys of badges, branches that start nothing, messages of pipelines"""

import secrets

import sqlalchemy as sa
from alembic import op
from app.models.base import Json

revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    # No batch mode: on SQLite it would copy the table, lose indexes over expressions, and cascade.
    op.add_column('pipelines', sa.Column('message', sa.Text(), nullable=True))
    op.add_column('projects', sa.Column('ignored_branches', Json, server_default='[]', nullable=False))
    op.add_column('projects', sa.Column('badge_key', sa.String(length=64), server_default='', nullable=False))
    projects = sa.table('projects', sa.column('id'), sa.column('badge_key'))
    connection = op.get_bind()
    for project_id in connection.scalars(sa.select(projects.c.id)).all():
        key = secrets.token_hex(16)
        connection.execute(sa.update(projects).where(projects.c.id == project_id).values(badge_key=key))
    op.create_index('uq_projects_badge_key', 'projects', ['badge_key'], unique=True)
