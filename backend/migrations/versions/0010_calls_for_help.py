"""agents call for help"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('agents', sa.Column('help_since', sa.DateTime(timezone=True), nullable=True))
    op.add_column('agents', sa.Column('help_note', sa.String(length=500), nullable=False, server_default=''))
    op.add_column('agents', sa.Column('help_call', sa.String(length=64), nullable=False, server_default=''))
    op.add_column('agents', sa.Column('help_by', sa.String(length=64), nullable=True))


def downgrade() -> None:
    for name in ('help_by', 'help_call', 'help_note', 'help_since'):
        op.drop_column('agents', name)
