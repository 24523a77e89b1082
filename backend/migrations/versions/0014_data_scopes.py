"""how much data roles of one's own reach"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('own_roles') as batch:
        batch.add_column(sa.Column('scope', sa.String(length=8), server_default='all', nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('own_roles') as batch:
        batch.drop_column('scope')
