"""Assignees of pipeline definitions"""

import sqlalchemy as sa
from alembic import op
from app.models.base import Key, UtcTime

revision = '0005'
down_revision = '0004'


def upgrade() -> None:
    op.create_table('pipeline_assignees',
    sa.Column('definition_id', Key, nullable=False),
    sa.Column('user_id', Key, nullable=False),
    sa.Column('created_at', UtcTime(), nullable=False),
    sa.ForeignKeyConstraint(['definition_id'], ['pipeline_definitions.id'], name=op.f('fk_pipeline_assignees_definition_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_pipeline_assignees_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('definition_id', 'user_id', name=op.f('pk_pipeline_assignees'))
    )
    op.create_index(op.f('ix_pipeline_assignees_user_id'), 'pipeline_assignees', ['user_id'], unique=False)
