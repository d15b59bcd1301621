"""The first tables"""

import sqlalchemy as sa
from alembic import op
from app.models.base import Json, Key, UtcTime

revision = '0001'
down_revision = None


def upgrade() -> None:
    op.create_table('counters',
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('value', Key, nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_counters'))
    )
    op.create_table('groups',
    sa.Column('id', Key, nullable=False),
    sa.Column('parent_id', Key, nullable=True),
    sa.Column('path', sa.String(length=255), nullable=False),
    sa.Column('full_path', sa.String(length=1024), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('description', sa.Text(), nullable=False),
    sa.Column('visibility', sa.String(length=64), nullable=False),
    sa.Column('created_at', UtcTime(), nullable=False),
    sa.ForeignKeyConstraint(['parent_id'], ['groups.id'], name=op.f('fk_groups_parent_id'), ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_groups'))
    )
    with op.batch_alter_table('groups', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_groups_parent_id'), ['parent_id'], unique=False)

    op.create_table('leaders',
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('holder', sa.String(length=64), nullable=False),
    sa.Column('expires_at', UtcTime(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_leaders'))
    )
    op.create_table('settings',
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_settings'))
    )
    op.create_table('tag_sets',
    sa.Column('id', Key, nullable=False),
    sa.Column('tags_key', sa.Text(), nullable=False),
    sa.Column('tags', Json, nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tag_sets')),
    sa.UniqueConstraint('tags_key', name=op.f('uq_tag_sets_tags_key'))
    )
    op.create_table('users',
    sa.Column('id', Key, nullable=False),
    sa.Column('username', sa.String(length=255), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('email', sa.String(length=255), nullable=False),
    sa.Column('password_hash', sa.Text(), nullable=True),
    sa.Column('is_admin', sa.Boolean(), nullable=False),
    sa.Column('blocked', sa.Boolean(), nullable=False),
    sa.Column('session_nonce', sa.String(length=64), nullable=False),
    sa.Column('created_at', UtcTime(), nullable=False),
    sa.Column('last_sign_in_at', UtcTime(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_users'))
    )
    op.create_table('access_tokens',
    sa.Column('id', Key, nullable=False),
    sa.Column('user_id', Key, nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('hint', sa.String(length=64), nullable=False),
    sa.Column('scopes', Json, nullable=False),
    sa.Column('created_at', UtcTime(), nullable=False),
    sa.Column('expires_at', UtcTime(), nullable=True),
    sa.Column('revoked_at', UtcTime(), nullable=True),
    sa.Column('last_used_at', UtcTime(), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_access_tokens_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_access_tokens')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_access_tokens_token_hash'))
    )
    with op.batch_alter_table('access_tokens', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_access_tokens_user_id'), ['user_id'], unique=False)

    op.create_table('projects',
    sa.Column('id', Key, nullable=False),
    sa.Column('group_id', Key, nullable=False),
    sa.Column('path', sa.String(length=255), nullable=False),
    sa.Column('full_path', sa.String(length=1024), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('description', sa.Text(), nullable=False),
    sa.Column('visibility', sa.String(length=64), nullable=False),
    sa.Column('repository', sa.String(length=64), nullable=False),
    sa.Column('mirror_url_sealed', sa.Text(), nullable=True),
    sa.Column('mirror_fetched_at', UtcTime(), nullable=True),
    sa.Column('mirror_error', sa.Text(), nullable=True),
    sa.Column('default_branch', sa.String(length=255), nullable=False),
    sa.Column('config_path', sa.String(length=255), nullable=False),
    sa.Column('build_timeout', sa.Integer(), nullable=False),
    sa.Column('git_strategy', sa.String(length=64), nullable=False),
    sa.Column('git_depth', sa.Integer(), nullable=False),
    sa.Column('public_jobs', sa.Boolean(), nullable=False),
    sa.Column('instance_runners', sa.Boolean(), nullable=False),
    sa.Column('archived', sa.Boolean(), nullable=False),
    sa.Column('creator_id', Key, nullable=True),
    sa.Column('last_iid', Key, nullable=False),
    sa.Column('created_at', UtcTime(), nullable=False),
    sa.Column('last_activity_at', UtcTime(), nullable=False),
    sa.CheckConstraint("repository in ('hosted', 'mirrored', 'none')", name=op.f('ck_projects_repository')),
    sa.CheckConstraint("visibility in ('private', 'internal', 'public')", name=op.f('ck_projects_visibility')),
    sa.ForeignKeyConstraint(['creator_id'], ['users.id'], name=op.f('fk_projects_creator_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['group_id'], ['groups.id'], name=op.f('fk_projects_group_id'), ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_projects'))
    )
    with op.batch_alter_table('projects', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_projects_group_id'), ['group_id'], unique=False)

    op.create_table('ci_variables',
    sa.Column('id', Key, nullable=False),
    sa.Column('project_id', Key, nullable=True),
    sa.Column('group_id', Key, nullable=True),
    sa.Column('key', sa.String(length=255), nullable=False),
    sa.Column('value_sealed', sa.Text(), nullable=False),
    sa.Column('description', sa.Text(), nullable=True),
    sa.Column('environment_scope', sa.String(length=255), nullable=False),
    sa.Column('protected', sa.Boolean(), nullable=False),
    sa.Column('masked', sa.Boolean(), nullable=False),
    sa.Column('hidden', sa.Boolean(), nullable=False),
    sa.Column('raw', sa.Boolean(), nullable=False),
    sa.Column('file', sa.Boolean(), nullable=False),
    sa.Column('created_at', UtcTime(), nullable=False),
    sa.ForeignKeyConstraint(['group_id'], ['groups.id'], name=op.f('fk_ci_variables_group_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['project_id'], ['projects.id'], name=op.f('fk_ci_variables_project_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ci_variables'))
    )
    op.create_table('memberships',
    sa.Column('id', Key, nullable=False),
    sa.Column('user_id', Key, nullable=False),
    sa.Column('group_id', Key, nullable=True),
    sa.Column('project_id', Key, nullable=True),
    sa.Column('role', sa.Integer(), nullable=False),
    sa.Column('created_at', UtcTime(), nullable=False),
    sa.Column('expires_at', UtcTime(), nullable=True),
    sa.CheckConstraint('(group_id is null) <> (project_id is null)', name=op.f('ck_memberships_one_source')),
    sa.ForeignKeyConstraint(['group_id'], ['groups.id'], name=op.f('fk_memberships_group_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['project_id'], ['projects.id'], name=op.f('fk_memberships_project_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_memberships_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_memberships'))
    )
    with op.batch_alter_table('memberships', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_memberships_group_id'), ['group_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_memberships_project_id'), ['project_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_memberships_user_id'), ['user_id'], unique=False)
        batch_op.create_index('uq_memberships_user_group', ['user_id', 'group_id'], unique=True)
        batch_op.create_index('uq_memberships_user_project', ['user_id', 'project_id'], unique=True)

    op.create_table('pipeline_definitions',
    sa.Column('id', Key, nullable=False),
    sa.Column('project_id', Key, nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('is_default', sa.Boolean(), nullable=False),
    sa.Column('config_path', sa.String(length=255), nullable=True),
    sa.Column('stored_text', sa.Text(), nullable=True),
    sa.Column('trigger_token_hash', sa.String(length=64), nullable=True),
    sa.Column('trigger_token_sealed', sa.Text(), nullable=True),
    sa.Column('public', sa.Boolean(), nullable=False),
    sa.Column('created_at', UtcTime(), nullable=False),
    sa.ForeignKeyConstraint(['project_id'], ['projects.id'], name=op.f('fk_pipeline_definitions_project_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pipeline_definitions')),
    sa.UniqueConstraint('trigger_token_hash', name=op.f('uq_pipeline_definitions_trigger_token_hash'))
    )
    with op.batch_alter_table('pipeline_definitions', schema=None) as batch_op:
        batch_op.create_index('uq_pipeline_definitions_name', ['project_id', 'name'], unique=True)

    op.create_table('protected_refs',
    sa.Column('id', Key, nullable=False),
    sa.Column('project_id', Key, nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('pattern', sa.String(length=255), nullable=False),
    sa.Column('push_role', sa.Integer(), nullable=False),
    sa.Column('allow_force_push', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['project_id'], ['projects.id'], name=op.f('fk_protected_refs_project_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_protected_refs'))
    )
    with op.batch_alter_table('protected_refs', schema=None) as batch_op:
        batch_op.create_index('uq_protected_refs_pattern', ['project_id', 'kind', 'pattern'], unique=True)

    op.create_table('pushes',
    sa.Column('id', Key, nullable=False),
    sa.Column('project_id', Key, nullable=False),
    sa.Column('user_id', Key, nullable=True),
    sa.Column('refs', Json, nullable=False),
    sa.Column('options', Json, nullable=False),
    sa.Column('created_at', UtcTime(), nullable=False),
    sa.Column('finished_at', UtcTime(), nullable=True),
    sa.ForeignKeyConstraint(['project_id'], ['projects.id'], name=op.f('fk_pushes_project_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_pushes_user_id'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pushes'))
    )
    with op.batch_alter_table('pushes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_pushes_finished_at'), ['finished_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_pushes_project_id'), ['project_id'], unique=False)

    op.create_table('runners',
    sa.Column('id', Key, nullable=False),
    sa.Column('runner_type', sa.String(length=64), nullable=False),
    sa.Column('group_id', Key, nullable=True),
    sa.Column('project_id', Key, nullable=True),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('token_expires_at', UtcTime(), nullable=True),
    sa.Column('description', sa.Text(), nullable=False),
    sa.Column('maintenance_note', sa.Text(), nullable=True),
    sa.Column('tags', Json, nullable=False),
    sa.Column('run_untagged', sa.Boolean(), nullable=False),
    sa.Column('locked', sa.Boolean(), nullable=False),
    sa.Column('paused', sa.Boolean(), nullable=False),
    sa.Column('access_level', sa.String(length=64), nullable=False),
    sa.Column('maximum_timeout', sa.Integer(), nullable=True),
    sa.Column('creator_id', Key, nullable=True),
    sa.Column('created_at', UtcTime(), nullable=False),
    sa.Column('contacted_at', UtcTime(), nullable=True),
    sa.CheckConstraint("runner_type in ('instance_type', 'group_type', 'project_type')", name=op.f('ck_runners_runner_type')),
    sa.ForeignKeyConstraint(['creator_id'], ['users.id'], name=op.f('fk_runners_creator_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['group_id'], ['groups.id'], name=op.f('fk_runners_group_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['project_id'], ['projects.id'], name=op.f('fk_runners_project_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_runners')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_runners_token_hash'))
    )
    with op.batch_alter_table('runners', schema=None) as batch_op:
        batch_op.create_index('ix_runners_type', ['runner_type'], unique=False)

    op.create_table('pipelines',
    sa.Column('id', Key, nullable=False),
    sa.Column('iid', Key, nullable=False),
    sa.Column('project_id', Key, nullable=False),
    sa.Column('definition_id', Key, nullable=True),
    sa.Column('user_id', Key, nullable=True),
    sa.Column('source_pipeline_id', Key, nullable=True),
    sa.Column('name', sa.String(length=255), nullable=True),
    sa.Column('ref', sa.String(length=1024), nullable=False),
    sa.Column('tag', sa.Boolean(), nullable=False),
    sa.Column('protected', sa.Boolean(), nullable=False),
    sa.Column('sha', sa.String(length=64), nullable=False),
    sa.Column('before_sha', sa.String(length=64), nullable=False),
    sa.Column('source', sa.String(length=64), nullable=False),
    sa.Column('status', sa.String(length=64), nullable=False),
    sa.Column('failure_reason', sa.String(length=64), nullable=True),
    sa.Column('yaml_errors', sa.Text(), nullable=True),
    sa.Column('config_path', sa.String(length=255), nullable=True),
    sa.Column('config_text', sa.Text(), nullable=True),
    sa.Column('variables_sealed', sa.Text(), nullable=True),
    sa.Column('stages', Json, nullable=False),
    sa.Column('commit', Json, nullable=False),
    sa.Column('created_at', UtcTime(), nullable=False),
    sa.Column('updated_at', UtcTime(), nullable=False),
    sa.Column('started_at', UtcTime(), nullable=True),
    sa.Column('finished_at', UtcTime(), nullable=True),
    sa.ForeignKeyConstraint(['definition_id'], ['pipeline_definitions.id'], name=op.f('fk_pipelines_definition_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['project_id'], ['projects.id'], name=op.f('fk_pipelines_project_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['source_pipeline_id'], ['pipelines.id'], name=op.f('fk_pipelines_source_pipeline_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_pipelines_user_id'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pipelines'))
    )
    with op.batch_alter_table('pipelines', schema=None) as batch_op:
        batch_op.create_index('ix_pipelines_project_id_id', ['project_id', 'id'], unique=False)
        batch_op.create_index('ix_pipelines_project_ref', ['project_id', 'ref', 'id'], unique=False)
        batch_op.create_index('ix_pipelines_project_sha', ['project_id', 'sha'], unique=False)
        batch_op.create_index('ix_pipelines_project_status', ['project_id', 'status', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_pipelines_source_pipeline_id'), ['source_pipeline_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_pipelines_user_id'), ['user_id'], unique=False)
        batch_op.create_index('uq_pipelines_iid', ['project_id', 'iid'], unique=True)

    op.create_table('runner_managers',
    sa.Column('id', Key, nullable=False),
    sa.Column('runner_id', Key, nullable=False),
    sa.Column('system_id', sa.String(length=255), nullable=False),
    sa.Column('version', sa.String(length=255), nullable=True),
    sa.Column('revision', sa.String(length=255), nullable=True),
    sa.Column('platform', sa.String(length=255), nullable=True),
    sa.Column('architecture', sa.String(length=255), nullable=True),
    sa.Column('executor', sa.String(length=255), nullable=True),
    sa.Column('ip_address', sa.String(length=255), nullable=True),
    sa.Column('features', Json, nullable=False),
    sa.Column('created_at', UtcTime(), nullable=False),
    sa.Column('contacted_at', UtcTime(), nullable=True),
    sa.ForeignKeyConstraint(['runner_id'], ['runners.id'], name=op.f('fk_runner_managers_runner_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_runner_managers'))
    )
    with op.batch_alter_table('runner_managers', schema=None) as batch_op:
        batch_op.create_index('uq_runner_managers_system_id', ['runner_id', 'system_id'], unique=True)

    op.create_table('jobs',
    sa.Column('id', Key, nullable=False),
    sa.Column('project_id', Key, nullable=False),
    sa.Column('pipeline_id', Key, nullable=False),
    sa.Column('user_id', Key, nullable=True),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('stage', sa.String(length=255), nullable=False),
    sa.Column('stage_index', sa.Integer(), nullable=False),
    sa.Column('status', sa.String(length=64), nullable=False),
    sa.Column('when', sa.String(length=64), nullable=False),
    sa.Column('allow_failure', sa.Boolean(), nullable=False),
    sa.Column('needs', Json, nullable=True),
    sa.Column('plan', Json, nullable=False),
    sa.Column('variables_sealed', sa.Text(), nullable=True),
    sa.Column('tag_set_id', Key, nullable=False),
    sa.Column('protected', sa.Boolean(), nullable=False),
    sa.Column('required_features', Json, nullable=False),
    sa.Column('timeout', sa.Integer(), nullable=False),
    sa.Column('retried', sa.Boolean(), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('runner_id', Key, nullable=True),
    sa.Column('runner_manager_id', Key, nullable=True),
    sa.Column('token_hash', sa.String(length=64), nullable=True),
    sa.Column('failure_reason', sa.String(length=64), nullable=True),
    sa.Column('exit_code', sa.Integer(), nullable=True),
    sa.Column('failure_message', sa.Text(), nullable=True),
    sa.Column('waiting_reason', sa.Text(), nullable=True),
    sa.Column('coverage', sa.Double(), nullable=True),
    sa.Column('created_at', UtcTime(), nullable=False),
    sa.Column('queued_at', UtcTime(), nullable=True),
    sa.Column('scheduled_at', UtcTime(), nullable=True),
    sa.Column('claimed_at', UtcTime(), nullable=True),
    sa.Column('heard_at', UtcTime(), nullable=True),
    sa.Column('started_at', UtcTime(), nullable=True),
    sa.Column('finished_at', UtcTime(), nullable=True),
    sa.Column('erased_at', UtcTime(), nullable=True),
    sa.Column('lease_expires_at', UtcTime(), nullable=True),
    sa.Column('updated_at', UtcTime(), nullable=False),
    sa.Column('trace_size', sa.BigInteger(), nullable=False),
    sa.Column('trace_crc', sa.BigInteger(), nullable=False),
    sa.Column('trace_mismatches', sa.Integer(), nullable=False),
    sa.Column('artifacts_expire_at', UtcTime(), nullable=True),
    sa.ForeignKeyConstraint(['pipeline_id'], ['pipelines.id'], name=op.f('fk_jobs_pipeline_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['project_id'], ['projects.id'], name=op.f('fk_jobs_project_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['runner_id'], ['runners.id'], name=op.f('fk_jobs_runner_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['runner_manager_id'], ['runner_managers.id'], name=op.f('fk_jobs_runner_manager_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['tag_set_id'], ['tag_sets.id'], name=op.f('fk_jobs_tag_set_id')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_jobs_user_id'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_jobs')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_jobs_token_hash'))
    )
    with op.batch_alter_table('jobs', schema=None) as batch_op:
        batch_op.create_index('ix_jobs_leases', ['lease_expires_at'], unique=False, sqlite_where=sa.text('lease_expires_at is not null'), postgresql_where=sa.text('lease_expires_at is not null'))
        batch_op.create_index('ix_jobs_pipeline_id_id', ['pipeline_id', 'id'], unique=False)
        batch_op.create_index('ix_jobs_project_id_id', ['project_id', 'id'], unique=False)
        batch_op.create_index('ix_jobs_project_status', ['project_id', 'status', 'id'], unique=False)
        batch_op.create_index('ix_jobs_queue', ['queued_at', 'id'], unique=False, sqlite_where=sa.text("status = 'pending'"), postgresql_where=sa.text("status = 'pending'"))
        batch_op.create_index('ix_jobs_queue_project', ['project_id', 'tag_set_id', 'id'], unique=False, sqlite_where=sa.text("status = 'pending'"), postgresql_where=sa.text("status = 'pending'"))
        batch_op.create_index(batch_op.f('ix_jobs_runner_id'), ['runner_id'], unique=False)
        batch_op.create_index('ix_jobs_running_project', ['project_id', 'runner_id'], unique=False, sqlite_where=sa.text("status = 'running'"), postgresql_where=sa.text("status = 'running'"))
        batch_op.create_index('ix_jobs_scheduled', ['scheduled_at'], unique=False, sqlite_where=sa.text("status = 'scheduled'"), postgresql_where=sa.text("status = 'scheduled'"))

    op.create_table('artifacts',
    sa.Column('id', Key, nullable=False),
    sa.Column('job_id', Key, nullable=False),
    sa.Column('project_id', Key, nullable=False),
    sa.Column('file_type', sa.String(length=64), nullable=False),
    sa.Column('file_format', sa.String(length=64), nullable=False),
    sa.Column('filename', sa.String(length=255), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('storage_key', sa.String(length=255), nullable=False),
    sa.Column('created_at', UtcTime(), nullable=False),
    sa.Column('expire_at', UtcTime(), nullable=True),
    sa.ForeignKeyConstraint(['job_id'], ['jobs.id'], name=op.f('fk_artifacts_job_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['project_id'], ['projects.id'], name=op.f('fk_artifacts_project_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_artifacts')),
    sa.UniqueConstraint('storage_key', name=op.f('uq_artifacts_storage_key'))
    )
    with op.batch_alter_table('artifacts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_artifacts_expire_at'), ['expire_at'], unique=False)
        batch_op.create_index('uq_artifacts_type', ['job_id', 'file_type'], unique=True)

    op.create_table('job_steps',
    sa.Column('id', Key, nullable=False),
    sa.Column('job_id', Key, nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('phase', sa.String(length=64), nullable=False),
    sa.Column('image', sa.Text(), nullable=True),
    sa.Column('status', sa.String(length=64), nullable=False),
    sa.Column('exit_code', sa.Integer(), nullable=True),
    sa.Column('started_at', UtcTime(), nullable=True),
    sa.Column('finished_at', UtcTime(), nullable=True),
    sa.Column('trace_start', sa.BigInteger(), nullable=True),
    sa.Column('trace_end', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['job_id'], ['jobs.id'], name=op.f('fk_job_steps_job_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_job_steps'))
    )
    with op.batch_alter_table('job_steps', schema=None) as batch_op:
        batch_op.create_index('uq_job_steps_position', ['job_id', 'position'], unique=True)

    # Indexes over expressions, which batch mode cannot carry.
    op.create_index("uq_users_username", "users", [sa.text("lower(username)")], unique=True)
    op.create_index("uq_groups_full_path", "groups", [sa.text("lower(full_path)")], unique=True)
    op.create_index("uq_projects_full_path", "projects", [sa.text("lower(full_path)")], unique=True)
    op.create_index(
        "uq_ci_variables_scope",
        "ci_variables",
        [sa.text("coalesce(project_id, 0)"), sa.text("coalesce(group_id, 0)"), "key", "environment_scope"],
        unique=True,
    )
