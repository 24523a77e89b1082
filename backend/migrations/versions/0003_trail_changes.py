"""what a step changed besides its outputs"""

import sqlalchemy as sa
from alembic import op

from backend.database import Json

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('trail') as batch:
        batch.add_column(sa.Column('changes', Json, nullable=False, server_default=sa.text("'{}'")))


def downgrade() -> None:
    with op.batch_alter_table('trail') as batch:
        batch.drop_column('changes')
