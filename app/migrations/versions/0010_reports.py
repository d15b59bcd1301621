"""What was read out of reports: variables handed on, tests"""

import sqlalchemy as sa
from alembic import op
from app.models.base import Key

revision = '0010'
down_revision = '0009'


def upgrade() -> None:
    op.create_table('dotenv_reports',
    sa.Column('job_id', Key, nullable=False),
    sa.Column('variables_sealed', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['job_id'], ['jobs.id'], name=op.f('fk_dotenv_reports_job_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('job_id', name=op.f('pk_dotenv_reports'))
    )
    op.create_table('junit_reports',
    sa.Column('job_id', Key, nullable=False),
    sa.Column('suite', sa.String(length=255), nullable=False),
    sa.Column('problem', sa.Text(), nullable=True),
    sa.Column('seconds', sa.Double(), nullable=False),
    sa.Column('success', sa.Integer(), nullable=False),
    sa.Column('failed', sa.Integer(), nullable=False),
    sa.Column('skipped', sa.Integer(), nullable=False),
    sa.Column('error', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['job_id'], ['jobs.id'], name=op.f('fk_junit_reports_job_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('job_id', name=op.f('pk_junit_reports'))
    )
    op.create_table('junit_cases',
    sa.Column('id', Key, nullable=False),
    sa.Column('job_id', Key, nullable=False),
    sa.Column('rank', sa.Integer(), nullable=False),
    sa.Column('status', sa.String(length=64), nullable=False),
    sa.Column('suite', sa.Text(), nullable=False),
    sa.Column('classname', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('file', sa.Text(), nullable=False),
    sa.Column('seconds', sa.Double(), nullable=False),
    sa.Column('output', sa.Text(), nullable=False),
    sa.Column('system_output', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['job_id'], ['junit_reports.job_id'], name=op.f('fk_junit_cases_job_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_junit_cases'))
    )
    op.create_index('ix_junit_cases_job_rank', 'junit_cases', ['job_id', 'rank', 'id'])
