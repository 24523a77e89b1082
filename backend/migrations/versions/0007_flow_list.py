"""folders and tags of flows, the hash of their drafts, and deeds by subject"""

import sqlalchemy as sa
from alembic import op

from backend.database import Json

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not in a batch: that would build the table anew, and rows of other tables point at its rows.
    op.add_column("flows", sa.Column("folder", sa.String(length=200), nullable=False, server_default=""))
    op.add_column("flows", sa.Column("tags", Json, nullable=False, server_default=sa.text("'[]'")))
    op.add_column("flows", sa.Column("draft_hash", sa.String(length=64), nullable=False, server_default=""))
    op.create_index(op.f("ix_audit_business_id_subject_seq"), "audit", ["business_id", "subject", "seq"])


def downgrade() -> None:
    op.drop_index(op.f("ix_audit_business_id_subject_seq"), "audit")
    with op.batch_alter_table("flows") as batch:
        batch.drop_column("draft_hash")
        batch.drop_column("tags")
        batch.drop_column("folder")
