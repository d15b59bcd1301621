"""Warnings of configurations"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0001'


def upgrade() -> None:
    op.add_column('pipelines', sa.Column('yaml_warnings', sa.Text(), nullable=True))
