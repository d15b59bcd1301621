"""Search of runs: the calculated status, the text to search, and what finds a piece of text fast

Everything here stands on its own feet: later versions of the application may know other statuses.
"""

import unicodedata

import sqlalchemy as sa
from alembic import op
from app.models.base import Json, UtcTime
from sqlalchemy.exc import DBAPIError

revision = '0005'
down_revision = '0004'

_BATCH = 500
_pipelines = sa.table(
    'pipelines',
    sa.column('id', sa.BigInteger), sa.column('commit', Json), sa.column('search_text', sa.Text),
)

# A failure is the runner's or the server's only when every job that failed says so.
_THEIR_FAULT = (
    'runner_system_failure', 'runner_external_dependency_failure', 'runner_interrupted', 'no_updates_running',
    'no_updates_canceling', 'stuck_or_timeout_failure', 'stuck_pending_with_matching_runners', 'api_failure',
    'scheduler_failure', 'data_integrity_failure', 'stale_schedule', 'job_router_failure',
)
_FAILED = "SELECT 1 FROM jobs WHERE jobs.pipeline_id = pipelines.id AND NOT jobs.retried AND NOT jobs.allow_failure"
_CALCULATED = f"""
UPDATE pipelines SET calculated_status_at = coalesce(finished_at, updated_at), calculated_status = CASE
  WHEN failure_reason = 'config_error' THEN 'bad_configuration'
  WHEN EXISTS ({_FAILED} AND jobs.status = 'failed'
    AND coalesce(jobs.failure_reason, '') NOT IN ({", ".join(f"'{reason}'" for reason in _THEIR_FAULT)})) THEN 'failure'
  WHEN EXISTS ({_FAILED} AND jobs.status = 'failed') THEN 'runner_error'
  WHEN EXISTS ({_FAILED} AND jobs.status IN ('canceled', 'canceling')) THEN 'canceled'
  WHEN status = 'failed' THEN 'job_error'
  WHEN status IN ('success', 'skipped') THEN 'succeeded'
  WHEN status IN ('created', 'pending') THEN 'new'
  ELSE 'running' END
"""

# The text itself stays in `pipelines`; triggers keep the index of its trigrams in step, whoever writes or deletes.
_SQLITE = (
    "CREATE VIRTUAL TABLE search_pipelines USING fts5("
    "search_text, content='pipelines', content_rowid='id', tokenize='trigram case_sensitive 1')",
    "INSERT INTO search_pipelines(search_pipelines) VALUES ('rebuild')",
    "CREATE TRIGGER search_pipelines_added AFTER INSERT ON pipelines BEGIN "
    "INSERT INTO search_pipelines(rowid, search_text) VALUES (new.id, new.search_text); END",
    "CREATE TRIGGER search_pipelines_removed AFTER DELETE ON pipelines BEGIN "
    "INSERT INTO search_pipelines(search_pipelines, rowid, search_text) "
    "VALUES ('delete', old.id, old.search_text); END",
    "CREATE TRIGGER search_pipelines_changed AFTER UPDATE OF search_text ON pipelines BEGIN "
    "INSERT INTO search_pipelines(search_pipelines, rowid, search_text) "
    "VALUES ('delete', old.id, old.search_text); "
    "INSERT INTO search_pipelines(rowid, search_text) VALUES (new.id, new.search_text); END",
)
_POSTGRESQL = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX search_pipelines_text ON pipelines USING gin (search_text gin_trgm_ops)",
)


def upgrade() -> None:
    op.add_column('pipelines', sa.Column('search_text', sa.Text(), nullable=False, server_default=''))
    op.add_column('pipelines', sa.Column('calculated_status', sa.String(64), nullable=False, server_default='new'))
    op.add_column('pipelines', sa.Column('calculated_status_at', UtcTime(), nullable=True))
    op.execute(_CALCULATED)
    _fill_search_text()
    op.create_index(
        'ix_pipelines_project_calculated_status', 'pipelines', ['project_id', 'calculated_status', 'id']
    )
    op.create_index('ix_projects_path', 'projects', [sa.text('lower(path)')])
    _index_text()


def _fill_search_text() -> None:
    connection, last = op.get_bind(), 0
    newer = sa.select(_pipelines.c.id, _pipelines.c.commit).order_by(_pipelines.c.id).limit(_BATCH)
    set_text = sa.update(_pipelines).where(_pipelines.c.id == sa.bindparam('key'))
    while rows := connection.execute(newer.where(_pipelines.c.id > last)).all():
        texts = [{'key': row.id, 'text': _search_text(row.commit or {})} for row in rows]
        connection.execute(set_text.values(search_text=sa.bindparam('text')), texts)
        last = rows[-1].id


def _search_text(commit: dict[str, str]) -> str:
    text = '\n'.join(commit.get(name, '') for name in ('author_name', 'author_email', 'message'))
    return unicodedata.normalize('NFC', unicodedata.normalize('NFC', text).casefold())


def _index_text() -> None:
    """Where the database cannot do it, search still works, and reads the texts one by one."""
    connection = op.get_bind()
    try:
        with connection.begin_nested():
            for statement in _SQLITE if connection.dialect.name == 'sqlite' else _POSTGRESQL:
                connection.exec_driver_sql(statement)
    except DBAPIError:
        pass
