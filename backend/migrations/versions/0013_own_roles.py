"""roles of one's own"""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'own_roles',
        sa.Column('id', sa.String(length=32), nullable=False),
        sa.Column('business_id', sa.String(length=64), nullable=False),
        sa.Column('title', sa.String(length=60), nullable=False),
        sa.Column('permissions', sa.JSON(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['business_id'], ['businesses.id'], name=op.f('fk_own_roles_business_id_businesses')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_own_roles')),
        sa.UniqueConstraint('business_id', 'title', name=op.f('uq_own_roles_business_id_title')),
    )
    op.create_index(op.f('ix_own_roles_business_id'), 'own_roles', ['business_id'])


def downgrade() -> None:
    op.drop_table('own_roles')
