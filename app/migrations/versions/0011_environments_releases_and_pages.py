"""Environments and deployments, releases, sites that jobs publish"""

import sqlalchemy as sa
from alembic import op
from app.models.base import Json, Key, UtcTime

revision = '0011'
down_revision = '0010'


def _key(table: str, name: str, target: str, *, gone: str = 'CASCADE') -> sa.Column:
    reference = sa.ForeignKey(f'{target}.id', name=op.f(f'fk_{table}_{name}'), ondelete=gone)
    return sa.Column(name, Key, reference, nullable=gone == 'SET NULL')


def upgrade() -> None:
    op.add_column('jobs', sa.Column('delivers', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        'environments',
        sa.Column('id', Key, nullable=False),
        _key('environments', 'project_id', 'projects'),
        sa.Column('name', sa.String(255), nullable=False),
        sa.Column('slug', sa.String(64), nullable=False),
        sa.Column('state', sa.String(64), nullable=False),
        sa.Column('tier', sa.String(64), nullable=False),
        sa.Column('external_url', sa.Text(), nullable=True),
        sa.Column('description', sa.Text(), nullable=True),
        sa.Column('auto_stop_at', UtcTime(), nullable=True),
        sa.Column('created_at', UtcTime(), nullable=False),
        sa.Column('updated_at', UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_environments')),
    )
    op.create_index('uq_environments_name', 'environments', ['project_id', 'name'], unique=True)
    op.create_index('ix_environments_slug', 'environments', ['project_id', 'slug'])
    op.create_index('ix_environments_auto_stop_at', 'environments', ['auto_stop_at'])
    op.create_table(
        'deployments',
        sa.Column('id', Key, nullable=False),
        _key('deployments', 'project_id', 'projects'),
        _key('deployments', 'environment_id', 'environments'),
        _key('deployments', 'pipeline_id', 'pipelines', gone='SET NULL'),
        _key('deployments', 'job_id', 'jobs', gone='SET NULL'),
        _key('deployments', 'user_id', 'users', gone='SET NULL'),
        sa.Column('ref', sa.String(1024), nullable=False),
        sa.Column('tag', sa.Boolean(), nullable=False),
        sa.Column('sha', sa.String(64), nullable=False),
        sa.Column('status', sa.String(64), nullable=False),
        sa.Column('on_stop', sa.String(255), nullable=True),
        sa.Column('created_at', UtcTime(), nullable=False),
        sa.Column('updated_at', UtcTime(), nullable=False),
        sa.Column('finished_at', UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_deployments')),
    )
    op.create_index('ix_deployments_project_id', 'deployments', ['project_id', 'id'])
    op.create_index('ix_deployments_environment_status', 'deployments', ['environment_id', 'status', 'id'])
    op.create_index('ix_deployments_pipeline_id', 'deployments', ['pipeline_id'])
    op.create_index('ix_deployments_job_id', 'deployments', ['job_id'])
    _releases()
    _pages()


def _releases() -> None:
    op.create_table(
        'releases',
        sa.Column('id', Key, nullable=False),
        _key('releases', 'project_id', 'projects'),
        sa.Column('tag_name', sa.String(1024), nullable=False),
        sa.Column('name', sa.String(255), nullable=False),
        sa.Column('description', sa.Text(), nullable=True),
        sa.Column('sha', sa.String(64), nullable=False),
        _key('releases', 'author_id', 'users', gone='SET NULL'),
        sa.Column('milestones', Json, nullable=False),
        sa.Column('released_at', UtcTime(), nullable=False),
        sa.Column('created_at', UtcTime(), nullable=False),
        sa.Column('updated_at', UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_releases')),
    )
    op.create_index('uq_releases_tag_name', 'releases', ['project_id', 'tag_name'], unique=True)
    op.create_index('ix_releases_released_at', 'releases', ['project_id', 'released_at'])
    op.create_table(
        'release_links',
        sa.Column('id', Key, nullable=False),
        _key('release_links', 'release_id', 'releases'),
        sa.Column('name', sa.String(255), nullable=False),
        sa.Column('url', sa.Text(), nullable=False),
        sa.Column('filepath', sa.String(255), nullable=True),
        sa.Column('link_type', sa.String(64), nullable=False),
        sa.Column('created_at', UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_release_links')),
    )
    op.create_index('uq_release_links_name', 'release_links', ['release_id', 'name'], unique=True)
    op.create_table(
        'release_orders',
        _key('release_orders', 'job_id', 'jobs'),
        sa.Column('attempts', sa.Integer(), nullable=False),
        sa.Column('created_at', UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint('job_id', name=op.f('pk_release_orders')),
    )


def _pages() -> None:
    op.create_table(
        'pages_sites',
        sa.Column('id', Key, nullable=False),
        _key('pages_sites', 'project_id', 'projects'),
        sa.Column('path_prefix', sa.String(64), nullable=False),
        _key('pages_sites', 'artifact_id', 'artifacts'),
        sa.Column('root', sa.String(1024), nullable=False),
        sa.Column('artifact_expire_at', UtcTime(), nullable=True),
        sa.Column('expire_at', UtcTime(), nullable=True),
        sa.Column('created_at', UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_pages_sites')),
    )
    op.create_index('uq_pages_sites_prefix', 'pages_sites', ['project_id', 'path_prefix'], unique=True)
    op.create_index('ix_pages_sites_artifact_id', 'pages_sites', ['artifact_id'])
    op.create_index('ix_pages_sites_expire_at', 'pages_sites', ['expire_at'])
