"""a call whose agent's phone was lost is offered back"""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('queue_entries', sa.Column('back_until', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('queue_entries', 'back_until')
