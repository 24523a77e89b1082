"""how other processes find events on PostgreSQL, and searches by the start of a text"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


_SEARCHED = [
    ('calls', ['business_id', 'caller', 'started_at'], 'caller'),
    ('calls', ['business_id', 'called', 'started_at'], 'called'),
    ('customers', ['business_id', 'name', 'id'], 'name'),
    ('customer_phones', ['business_id', 'number'], 'number'),
]


def upgrade() -> None:
    postgres = op.get_bind().dialect.name == 'postgresql'
    transaction = sa.text('((pg_current_xact_id())::text)::bigint') if postgres else None
    with op.batch_alter_table('events') as batch:
        batch.add_column(sa.Column('tx', sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column('origin', sa.String(length=16), nullable=False, server_default=''))
        batch.add_column(sa.Column('passing', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.create_index('ix_events_tx', ['tx'])
    op.create_index(
        'ix_customers_card_start', 'customers', ['business_id', 'card'], postgresql_ops={'card': 'text_pattern_ops'}
    )
    if postgres:
        op.alter_column('events', 'tx', server_default=transaction)
        for table, columns, searched in _SEARCHED:
            name = f'ix_{table}_{"_".join(columns)}'
            op.drop_index(name, table)
            op.create_index(name, table, columns, postgresql_ops={searched: 'text_pattern_ops'})


def downgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        for table, columns, _ in _SEARCHED:
            name = f'ix_{table}_{"_".join(columns)}'
            op.drop_index(name, table)
            op.create_index(name, table, columns)
    op.drop_index('ix_customers_card_start', 'customers')
    with op.batch_alter_table('events') as batch:
        batch.drop_index('ix_events_tx')
        batch.drop_column('passing')
        batch.drop_column('origin')
        batch.drop_column('tx')
