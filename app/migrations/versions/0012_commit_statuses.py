"""Commit statuses of other systems; who may merge into a protected branch"""

import sqlalchemy as sa
from alembic import op
from app.models.base import Key, UtcTime

revision = '0012'
down_revision = '0011'


def upgrade() -> None:
    op.add_column('protected_refs', sa.Column('merge_role', sa.Integer(), nullable=True))
    op.create_table(
        'commit_statuses',
        sa.Column('id', Key, nullable=False),
        sa.Column('pipeline_id', Key, nullable=False),
        sa.Column('user_id', Key, nullable=True),
        sa.Column('name', sa.String(length=255), nullable=False),
        sa.Column('status', sa.String(length=64), nullable=False),
        sa.Column('target_url', sa.String(length=255), nullable=True),
        sa.Column('description', sa.Text(), nullable=True),
        sa.Column('coverage', sa.Double(), nullable=True),
        sa.Column('retried', sa.Boolean(), nullable=False),
        sa.Column('created_at', UtcTime(), nullable=False),
        sa.Column('started_at', UtcTime(), nullable=True),
        sa.Column('finished_at', UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ['pipeline_id'], ['pipelines.id'], name=op.f('fk_commit_statuses_pipeline_id'), ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(
            ['user_id'], ['users.id'], name=op.f('fk_commit_statuses_user_id'), ondelete='SET NULL'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_commit_statuses')),
    )
    op.create_index('ix_commit_statuses_pipeline_id_name', 'commit_statuses', ['pipeline_id', 'name'])
