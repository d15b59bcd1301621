"""Fetches of mirrors that were asked for; wrong passwords lately"""

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
    op.create_table(
        'sign_in_guesses',
        sa.Column('key', sa.String(length=64), nullable=False),
        sa.Column('wrong', sa.Integer(), nullable=False),
        sa.Column('last_at', UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint('key', name=op.f('pk_sign_in_guesses')),
    )
    op.create_index(op.f('ix_sign_in_guesses_last_at'), 'sign_in_guesses', ['last_at'])
