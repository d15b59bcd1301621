"""Access tokens of projects and groups, grants to job tokens, runners of several projects, their registration tokens"""

import sqlalchemy as sa
from alembic import op
from app.models.base import Key, UtcTime

revision = '0014'
down_revision = '0013'


def _owner(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f'{target}.id'], name=op.f(f'fk_{table}_{column}'), ondelete='CASCADE')


def upgrade() -> None:
    op.add_column('users', sa.Column('bot', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('access_tokens', sa.Column('description', sa.Text(), nullable=True))
    op.add_column('projects', sa.Column('limit_job_tokens', sa.Boolean(), server_default=sa.true(), nullable=False))
    op.create_table(
        'bots',
        sa.Column('user_id', Key, autoincrement=False, nullable=False),
        sa.Column('project_id', Key, nullable=True),
        sa.Column('group_id', Key, nullable=True),
        sa.CheckConstraint('(group_id is null) <> (project_id is null)', name=op.f('ck_bots_one_place')),
        _owner('bots', 'user_id', 'users'),
        _owner('bots', 'project_id', 'projects'),
        _owner('bots', 'group_id', 'groups'),
        sa.PrimaryKeyConstraint('user_id', name=op.f('pk_bots')),
    )
    op.create_index(op.f('ix_bots_project_id'), 'bots', ['project_id'])
    op.create_index(op.f('ix_bots_group_id'), 'bots', ['group_id'])
    op.create_table(
        'job_token_grants',
        sa.Column('id', Key, nullable=False),
        sa.Column('project_id', Key, nullable=False),
        sa.Column('source_project_id', Key, nullable=True),
        sa.Column('source_group_id', Key, nullable=True),
        sa.Column('created_at', UtcTime(), nullable=False),
        sa.CheckConstraint(
            '(source_group_id is null) <> (source_project_id is null)', name=op.f('ck_job_token_grants_one_source')
        ),
        _owner('job_token_grants', 'project_id', 'projects'),
        _owner('job_token_grants', 'source_project_id', 'projects'),
        _owner('job_token_grants', 'source_group_id', 'groups'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_job_token_grants')),
    )
    op.create_index(
        'uq_job_token_grants_project', 'job_token_grants', ['project_id', 'source_project_id'], unique=True
    )
    op.create_index('uq_job_token_grants_group', 'job_token_grants', ['project_id', 'source_group_id'], unique=True)
    op.create_table(
        'runner_projects',
        sa.Column('runner_id', Key, autoincrement=False, nullable=False),
        sa.Column('project_id', Key, autoincrement=False, nullable=False),
        _owner('runner_projects', 'runner_id', 'runners'),
        _owner('runner_projects', 'project_id', 'projects'),
        sa.PrimaryKeyConstraint('runner_id', 'project_id', name=op.f('pk_runner_projects')),
    )
    op.create_index(op.f('ix_runner_projects_project_id'), 'runner_projects', ['project_id'])
    op.create_table(
        'registration_tokens',
        sa.Column('id', Key, nullable=False),
        sa.Column('project_id', Key, nullable=True),
        sa.Column('group_id', Key, nullable=True),
        sa.Column('token_hash', sa.String(length=64), nullable=False),
        sa.Column('created_at', UtcTime(), nullable=False),
        sa.CheckConstraint('(group_id is null) <> (project_id is null)', name=op.f('ck_registration_tokens_one_place')),
        _owner('registration_tokens', 'project_id', 'projects'),
        _owner('registration_tokens', 'group_id', 'groups'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_registration_tokens')),
        sa.UniqueConstraint('token_hash', name=op.f('uq_registration_tokens_token_hash')),
    )
    op.create_index('uq_registration_tokens_project', 'registration_tokens', ['project_id'], unique=True)
    op.create_index('uq_registration_tokens_group', 'registration_tokens', ['group_id'], unique=True)
