"""Trigger jobs, the pipelines that they start, and trigger tokens"""

import sqlalchemy as sa
from alembic import op
from app.models.base import Key, UtcTime

revision = '0009'
down_revision = '0008'

_WAITING = "status = 'pending'"
_UNTOLD = "strategy <> '' AND status <> told_status"


def upgrade() -> None:
    # No batch mode: on SQLite it would copy the table, lose indexes over expressions, and cascade.
    op.add_column('jobs', sa.Column('bridge', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index(
        'ix_jobs_bridges', 'jobs', ['bridge', 'id'],
        sqlite_where=sa.text(_WAITING), postgresql_where=sa.text(_WAITING),
    )
    _triggers()
    _links()


def _triggers() -> None:
    op.create_table(
        'pipeline_triggers',
        sa.Column('id', Key, nullable=False),
        sa.Column('project_id', Key, nullable=False),
        sa.Column('owner_id', Key, nullable=True),
        sa.Column('description', sa.String(length=255), nullable=False),
        sa.Column('token_hash', sa.String(length=64), nullable=False),
        sa.Column('token_sealed', sa.Text(), nullable=False),
        sa.Column('created_at', UtcTime(), nullable=False),
        sa.Column('updated_at', UtcTime(), nullable=False),
        sa.Column('last_used_at', UtcTime(), nullable=True),
        sa.Column('expires_at', UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ['project_id'], ['projects.id'], name='fk_pipeline_triggers_project_id', ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(['owner_id'], ['users.id'], name='fk_pipeline_triggers_owner_id', ondelete='SET NULL'),
        sa.PrimaryKeyConstraint('id', name='pk_pipeline_triggers'),
        sa.UniqueConstraint('token_hash', name='uq_pipeline_triggers_token_hash'),
    )
    op.create_index('ix_pipeline_triggers_project_id', 'pipeline_triggers', ['project_id'])
    op.create_index('ix_pipeline_triggers_owner_id', 'pipeline_triggers', ['owner_id'])


def _links() -> None:
    op.create_table(
        'pipeline_links',
        sa.Column('pipeline_id', Key, nullable=False),
        sa.Column('source_pipeline_id', Key, nullable=False),
        sa.Column('source_job_id', Key, nullable=False),
        sa.Column('child', sa.Boolean(), nullable=False),
        sa.Column('strategy', sa.String(length=64), nullable=False),
        sa.Column('status', sa.String(length=64), nullable=False),
        sa.Column('told_status', sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ['pipeline_id'], ['pipelines.id'], name='fk_pipeline_links_pipeline_id', ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(
            ['source_pipeline_id'], ['pipelines.id'], name='fk_pipeline_links_source_pipeline_id', ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(
            ['source_job_id'], ['jobs.id'], name='fk_pipeline_links_source_job_id', ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('pipeline_id', name='pk_pipeline_links'),
    )
    op.create_index('ix_pipeline_links_source_pipeline_id', 'pipeline_links', ['source_pipeline_id'])
    op.create_index('ix_pipeline_links_source_job_id', 'pipeline_links', ['source_job_id'])
    op.create_index(
        'ix_pipeline_links_untold', 'pipeline_links', ['pipeline_id'],
        sqlite_where=sa.text(_UNTOLD), postgresql_where=sa.text(_UNTOLD),
    )
