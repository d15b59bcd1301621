"""Schedules of pipelines, and who may give a pipeline variables"""

import sqlalchemy as sa
from alembic import op
from app.models.base import Json, Key, UtcTime

revision = '0008'
down_revision = '0007'


def upgrade() -> None:
    op.create_table('pipeline_schedules',
    sa.Column('id', Key, nullable=False),
    sa.Column('project_id', Key, nullable=False),
    sa.Column('owner_id', Key, nullable=True),
    sa.Column('description', sa.Text(), nullable=False),
    sa.Column('ref', sa.String(length=1024), nullable=False),
    sa.Column('cron', sa.String(length=255), nullable=False),
    sa.Column('cron_timezone', sa.String(length=255), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('next_run_at', UtcTime(), nullable=False),
    sa.Column('inputs', Json, nullable=False),
    sa.Column('variables_sealed', sa.Text(), nullable=True),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('created_at', UtcTime(), nullable=False),
    sa.Column('updated_at', UtcTime(), nullable=False),
    sa.ForeignKeyConstraint(
        ['project_id'], ['projects.id'], name=op.f('fk_pipeline_schedules_project_id'), ondelete='CASCADE'
    ),
    sa.ForeignKeyConstraint(
        ['owner_id'], ['users.id'], name=op.f('fk_pipeline_schedules_owner_id'), ondelete='SET NULL'
    ),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pipeline_schedules'))
    )
    op.create_index('ix_pipeline_schedules_owner_id', 'pipeline_schedules', ['owner_id'])
    op.create_index('ix_pipeline_schedules_project_id', 'pipeline_schedules', ['project_id', 'id'])
    op.create_index('ix_pipeline_schedules_due', 'pipeline_schedules', ['active', 'next_run_at'])
    op.create_table('schedule_runs',
    sa.Column('pipeline_id', Key, autoincrement=False, nullable=False),
    sa.Column('schedule_id', Key, nullable=False),
    sa.ForeignKeyConstraint(
        ['pipeline_id'], ['pipelines.id'], name=op.f('fk_schedule_runs_pipeline_id'), ondelete='CASCADE'
    ),
    sa.ForeignKeyConstraint(
        ['schedule_id'], ['pipeline_schedules.id'], name=op.f('fk_schedule_runs_schedule_id'), ondelete='CASCADE'
    ),
    sa.PrimaryKeyConstraint('pipeline_id', name=op.f('pk_schedule_runs'))
    )
    op.create_index('ix_schedule_runs_schedule_id', 'schedule_runs', ['schedule_id', 'pipeline_id'])
    # No batch mode: on SQLite it would copy the table, lose indexes over expressions, and cascade.
    op.add_column('projects', sa.Column('variables_role', sa.String(length=64), server_default='developer', nullable=False))
