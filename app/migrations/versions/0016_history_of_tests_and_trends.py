"""The history of tests; indexes that trends are read from"""

import sqlalchemy as sa
from alembic import op
from app.models.base import Key, UtcTime

revision = '0016'
down_revision = '0015'

_ENDED = sa.text('finished_at is not null')


def upgrade() -> None:
    op.add_column('junit_cases', sa.Column('case_key', sa.BigInteger(), nullable=True))
    op.create_index('ix_junit_cases_case_key', 'junit_cases', ['case_key', 'job_id'])
    op.create_table(
        'test_flakes',
        sa.Column('id', Key, nullable=False),
        sa.Column('project_id', Key, nullable=False),
        sa.Column('case_key', sa.BigInteger(), nullable=False),
        sa.Column('sha', sa.String(length=64), nullable=False),
        sa.Column('suite', sa.String(length=255), nullable=False),
        sa.Column('title', sa.Text(), nullable=False),
        sa.Column('seen_at', UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ['project_id'], ['projects.id'], name=op.f('fk_test_flakes_project_id'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_test_flakes')),
    )
    op.create_index('ix_test_flakes_case', 'test_flakes', ['project_id', 'case_key', 'seen_at'])
    op.create_index('ix_test_flakes_project_seen_at', 'test_flakes', ['project_id', 'seen_at'])
    op.create_index(
        'ix_pipelines_ended', 'pipelines',
        ['project_id', 'finished_at', 'ref', 'status', 'created_at', 'started_at'],
        sqlite_where=_ENDED, postgresql_where=_ENDED,
    )
    op.create_index(
        'ix_jobs_ended', 'jobs',
        ['project_id', 'finished_at', 'name', 'status', 'queued_at', 'started_at', 'pipeline_id', 'coverage'],
        sqlite_where=_ENDED, postgresql_where=_ENDED,
    )
