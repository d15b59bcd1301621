"""Merge requests; which pipelines replace older ones; how a trigger token begins"""

import sqlalchemy as sa
from alembic import op
from app.models.base import Json, Key, UtcTime

revision = '0013'
down_revision = '0012'

_REPLACING = 'replaces_older'
_FOLLOWING = 'bridge AND started_at IS NOT NULL AND finished_at IS NULL'


def upgrade() -> None:
    # No batch mode: on SQLite it would copy the table, lose indexes over expressions, and cascade.
    op.add_column('pipelines', sa.Column('replaces_older', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('pipelines', sa.Column('trigger_short_token', sa.String(length=64), nullable=True))
    op.create_index(
        'ix_pipelines_replacing', 'pipelines', ['id'],
        sqlite_where=sa.text(_REPLACING), postgresql_where=sa.text(_REPLACING),
    )
    op.create_index(
        'ix_jobs_following', 'jobs', ['id'], sqlite_where=sa.text(_FOLLOWING), postgresql_where=sa.text(_FOLLOWING),
    )
    _merge_requests()
    _pipelines()


def _merge_requests() -> None:
    op.create_table(
        'merge_requests',
        sa.Column('id', Key, nullable=False),
        sa.Column('project_id', Key, nullable=False),
        sa.Column('author_id', Key, nullable=True),
        sa.Column('iid', Key, nullable=False),
        sa.Column('source_branch', sa.String(length=1024), nullable=False),
        sa.Column('target_branch', sa.String(length=1024), nullable=False),
        sa.Column('title', sa.String(length=255), nullable=False),
        sa.Column('description', sa.Text(), nullable=False),
        sa.Column('draft', sa.Boolean(), nullable=False),
        sa.Column('labels', Json, nullable=False),
        sa.Column('created_at', UtcTime(), nullable=False),
        sa.Column('updated_at', UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ['project_id'], ['projects.id'], name='fk_merge_requests_project_id', ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(['author_id'], ['users.id'], name='fk_merge_requests_author_id', ondelete='SET NULL'),
        sa.PrimaryKeyConstraint('id', name='pk_merge_requests'),
    )
    op.create_index('ix_merge_requests_author_id', 'merge_requests', ['author_id'])
    op.create_index('uq_merge_requests_iid', 'merge_requests', ['project_id', 'iid'], unique=True)
    op.create_index(
        'uq_merge_requests_branches', 'merge_requests', ['project_id', 'source_branch', 'target_branch'], unique=True
    )


def _pipelines() -> None:
    op.create_table(
        'merge_request_pipelines',
        sa.Column('pipeline_id', Key, nullable=False),
        sa.Column('merge_request_id', Key, nullable=False),
        sa.Column('own', sa.Boolean(), nullable=False),
        sa.Column('diff_base_sha', sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ['pipeline_id'], ['pipelines.id'], name='fk_merge_request_pipelines_pipeline_id', ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(
            ['merge_request_id'],
            ['merge_requests.id'],
            name='fk_merge_request_pipelines_merge_request_id',
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('pipeline_id', name='pk_merge_request_pipelines'),
    )
    op.create_index(
        'ix_merge_request_pipelines_merge_request_id', 'merge_request_pipelines', ['merge_request_id']
    )
