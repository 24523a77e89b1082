"""how conversations stand, and whose phone a leg is"""

import sqlalchemy as sa
from alembic import op

from backend.database import Json

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('legs', sa.Column('user_id', sa.String(length=64), nullable=True))
    op.create_index('ix_legs_user_id_state', 'legs', ['user_id', 'state'])
    op.create_table(
        'live_talks',
        sa.Column('call_id', sa.String(length=64), nullable=False),
        sa.Column('business_id', sa.String(length=64), nullable=False),
        sa.Column('state', Json, nullable=False),
        sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['business_id'], ['businesses.id'], name=op.f('fk_live_talks_business_id_businesses')),
        sa.PrimaryKeyConstraint('call_id', name=op.f('pk_live_talks')),
    )
    op.create_index(op.f('ix_live_talks_business_id'), 'live_talks', ['business_id'])


def downgrade() -> None:
    op.drop_table('live_talks')
    op.drop_index('ix_legs_user_id_state', 'legs')
    op.drop_column('legs', 'user_id')
