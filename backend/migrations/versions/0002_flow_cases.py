"""test cases of flows"""

import sqlalchemy as sa
from alembic import op

from backend.database import Json

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('flows') as batch:
        batch.add_column(sa.Column('cases_required', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        'flow_cases',
        sa.Column('id', sa.String(length=64), nullable=False),
        sa.Column('business_id', sa.String(length=64), nullable=False),
        sa.Column('flow_id', sa.String(length=64), nullable=False),
        sa.Column('name', sa.String(length=200), nullable=False),
        sa.Column('case', Json, nullable=False),
        sa.Column('passed', sa.Boolean(), nullable=True),
        sa.Column('result', Json, nullable=True),
        sa.Column('ran_on', sa.String(length=64), nullable=False),
        sa.Column('ran_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('updated_by', sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(['business_id'], ['businesses.id'], name=op.f('fk_flow_cases_business_id_businesses')),
        sa.ForeignKeyConstraint(['flow_id'], ['flows.id'], name=op.f('fk_flow_cases_flow_id_flows')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_flow_cases')),
        sa.UniqueConstraint('flow_id', 'name', name=op.f('uq_flow_cases_flow_id_name')),
    )
    op.create_index(op.f('ix_flow_cases_business_id'), 'flow_cases', ['business_id'])


def downgrade() -> None:
    op.drop_table('flow_cases')
    with op.batch_alter_table('flows') as batch:
        batch.drop_column('cases_required')
