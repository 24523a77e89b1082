"""call-backs are tried again; trunks are encrypted and verified"""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('queue_entries', sa.Column('attempt', sa.Integer(), nullable=False, server_default='0'))
    op.add_column('queue_entries', sa.Column('attempts', sa.Integer(), nullable=False, server_default='3'))
    op.add_column('queue_entries', sa.Column('pause_seconds', sa.Integer(), nullable=False, server_default='900'))
    op.add_column('queue_entries', sa.Column('not_before', sa.DateTime(timezone=True), nullable=True))
    op.add_column('trunks', sa.Column('encryption', sa.String(length=8), nullable=False, server_default='off'))
    op.add_column('trunks', sa.Column('verify', sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column('trunks', sa.Column('authority', sa.Text(), nullable=False, server_default=''))


def downgrade() -> None:
    for name in ('authority', 'verify', 'encryption'):
        op.drop_column('trunks', name)
    for name in ('not_before', 'pause_seconds', 'attempts', 'attempt'):
        op.drop_column('queue_entries', name)
