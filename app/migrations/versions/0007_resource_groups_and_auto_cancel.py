"""Resource groups, interruptible jobs, and what cancels pipelines by itself"""

import sqlalchemy as sa
from alembic import op
from app.models.base import Key, UtcTime

revision = '0007'
down_revision = '0006'


def upgrade() -> None:
    _add_groups()
    # No batch mode: on SQLite it would copy the table, lose indexes over expressions, and cascade.
    op.add_column('jobs', sa.Column('resource_group_id', Key, nullable=True))
    op.add_column('pipelines', sa.Column('auto_canceled_by_id', Key, nullable=True))
    for name in ('interruptible', 'enqueue_immediately'):
        op.add_column('jobs', sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    for name in ('auto_cancel_on_new_commit', 'auto_cancel_on_job_failure'):
        op.add_column('pipelines', sa.Column(name, sa.String(length=64), nullable=False, server_default='none'))
    op.add_column(
        'projects',
        sa.Column('auto_cancel_pending_pipelines', sa.Boolean(), nullable=False, server_default=sa.true()),
    )
    in_a_group = sa.text('resource_group_id is not null')
    op.create_index(
        'ix_jobs_resource_group', 'jobs', ['resource_group_id', 'status', 'pipeline_id'],
        sqlite_where=in_a_group, postgresql_where=in_a_group,
    )


def _add_groups() -> None:
    op.create_table(
        'resource_groups',
        sa.Column('id', Key, nullable=False),
        sa.Column('project_id', Key, nullable=False),
        sa.Column('key', sa.String(length=255), nullable=False),
        sa.Column('process_mode', sa.String(length=64), nullable=False),
        sa.Column('created_at', UtcTime(), nullable=False),
        sa.Column('updated_at', UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ['project_id'], ['projects.id'], name=op.f('fk_resource_groups_project_id'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_resource_groups')),
    )
    op.create_index('uq_resource_groups_key', 'resource_groups', ['project_id', 'key'], unique=True)
    op.create_table(
        'resources',
        sa.Column('id', Key, nullable=False),
        sa.Column('resource_group_id', Key, nullable=False),
        sa.Column('job_id', Key, nullable=True),
        sa.ForeignKeyConstraint(
            ['resource_group_id'], ['resource_groups.id'], name=op.f('fk_resources_resource_group_id'),
            ondelete='CASCADE',
        ),
        sa.ForeignKeyConstraint(['job_id'], ['jobs.id'], name=op.f('fk_resources_job_id'), ondelete='SET NULL'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_resources')),
        sa.UniqueConstraint('resource_group_id', name=op.f('uq_resources_resource_group_id')),
        sa.UniqueConstraint('job_id', name=op.f('uq_resources_job_id')),
    )
