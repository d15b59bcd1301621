"""Sessions of the pages, so that signing out ends them"""

import sqlalchemy as sa
from alembic import op
from app.models.base import Key, UtcTime

revision = '0015'
down_revision = '0014'


def upgrade() -> None:
    op.create_table(
        'sign_ins',
        sa.Column('id', Key, nullable=False),
        sa.Column('user_id', Key, nullable=False),
        sa.Column('token_hash', sa.String(length=64), nullable=False),
        sa.Column('address', sa.String(length=64), nullable=False),
        sa.Column('agent', sa.String(length=255), nullable=False),
        sa.Column('created_at', UtcTime(), nullable=False),
        sa.Column('last_used_at', UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ['user_id'], ['users.id'], name=op.f('fk_sign_ins_user_id'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_ins')),
        sa.UniqueConstraint('token_hash', name=op.f('uq_sign_ins_token_hash')),
    )
    op.create_index(op.f('ix_sign_ins_user_id'), 'sign_ins', ['user_id'])
