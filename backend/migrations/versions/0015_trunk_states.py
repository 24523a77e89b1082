"""how gateways find the trunks"""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'trunk_states',
        sa.Column('trunk_id', sa.String(length=64), nullable=False),
        sa.Column('gateway', sa.String(length=64), nullable=False),
        sa.Column('business_id', sa.String(length=64), nullable=False),
        sa.Column('state', sa.String(length=16), nullable=False),
        sa.Column('since', sa.DateTime(timezone=True), nullable=False),
        sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['business_id'], ['businesses.id'], name=op.f('fk_trunk_states_business_id_businesses')
        ),
        sa.ForeignKeyConstraint(
            ['trunk_id'], ['trunks.id'], name=op.f('fk_trunk_states_trunk_id_trunks'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('trunk_id', 'gateway', name=op.f('pk_trunk_states')),
    )
    op.create_index(op.f('ix_trunk_states_business_id'), 'trunk_states', ['business_id'])


def downgrade() -> None:
    op.drop_table('trunk_states')
