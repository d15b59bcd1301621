"""Variables of pipeline definitions"""

import sqlalchemy as sa
from alembic import op
from app.models.base import Key, UtcTime

revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    op.create_table(
        'definition_variables',
        sa.Column('id', Key, nullable=False),
        sa.Column('definition_id', Key, nullable=False),
        sa.Column('key', sa.String(length=255), nullable=False),
        sa.Column('value_sealed', sa.Text(), nullable=False),
        sa.Column('hidden', sa.Boolean(), nullable=False),
        sa.Column('created_at', UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ['definition_id'], ['pipeline_definitions.id'],
            name=op.f('fk_definition_variables_definition_id'), ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_definition_variables')),
    )
    op.create_index('uq_definition_variables_key', 'definition_variables', ['definition_id', 'key'], unique=True)
