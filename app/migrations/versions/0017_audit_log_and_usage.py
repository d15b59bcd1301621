"""The audit log; how much room projects take"""

import sqlalchemy as sa
from alembic import op
from app.models.base import Json, Key, UtcTime

revision = '0017'
down_revision = '0016'


def upgrade() -> None:
    op.create_table(
        'audit_events',
        sa.Column('id', Key, nullable=False),
        sa.Column('created_at', UtcTime(), nullable=False),
        sa.Column('action', sa.String(length=64), nullable=False),
        sa.Column('actor_id', Key, nullable=True),
        sa.Column('actor', sa.String(length=255), nullable=False),
        sa.Column('address', sa.String(length=255), nullable=False),
        sa.Column('way', sa.String(length=300), nullable=False),
        sa.Column('project_id', Key, nullable=True),
        sa.Column('group_id', Key, nullable=True),
        sa.Column('place', sa.String(length=1024), nullable=False),
        sa.Column('target', sa.Text(), nullable=False),
        sa.Column('details', Json, nullable=False),
        sa.ForeignKeyConstraint(
            ['actor_id'], ['users.id'], name=op.f('fk_audit_events_actor_id'), ondelete='SET NULL'
        ),
        sa.ForeignKeyConstraint(
            ['project_id'], ['projects.id'], name=op.f('fk_audit_events_project_id'), ondelete='SET NULL'
        ),
        sa.ForeignKeyConstraint(
            ['group_id'], ['groups.id'], name=op.f('fk_audit_events_group_id'), ondelete='SET NULL'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_events')),
    )
    op.create_index('ix_audit_events_project_id', 'audit_events', ['project_id', 'id'])
    op.create_index('ix_audit_events_group_id', 'audit_events', ['group_id'])
    op.create_index('ix_audit_events_actor_id', 'audit_events', ['actor_id', 'id'])
    op.create_index('ix_audit_events_action', 'audit_events', ['action', 'id'])
    op.create_table(
        'project_usages',
        sa.Column('project_id', Key, autoincrement=False, nullable=False),
        sa.Column('artifact_bytes', sa.BigInteger(), nullable=False),
        sa.Column('artifact_count', sa.BigInteger(), nullable=False),
        sa.Column('trace_bytes', sa.BigInteger(), nullable=False),
        sa.Column('job_count', sa.BigInteger(), nullable=False),
        sa.Column('total_bytes', sa.BigInteger(), nullable=False),
        sa.Column('measured_at', UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ['project_id'], ['projects.id'], name=op.f('fk_project_usages_project_id'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('project_id', name=op.f('pk_project_usages')),
    )
    op.create_index(op.f('ix_project_usages_total_bytes'), 'project_usages', ['total_bytes'])
