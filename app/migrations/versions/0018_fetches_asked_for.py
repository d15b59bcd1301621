"""Fetches of mirrors that were asked for"""

import sqlalchemy as sa
from alembic import op
from app.models.base import Key, UtcTime

revision = '0018'
down_revision = '0017'


def upgrade() -> None:
    op.create_table(
        'mirror_fetches',
        sa.Column('project_id', Key, autoincrement=False, nullable=False),
        sa.Column('requested_at', UtcTime(), nullable=False),
        sa.Column('started_at', UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ['project_id'], ['projects.id'], name=op.f('fk_mirror_fetches_project_id'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('project_id', name=op.f('pk_mirror_fetches')),
    )
    op.create_index(op.f('ix_mirror_fetches_requested_at'), 'mirror_fetches', ['requested_at'])
