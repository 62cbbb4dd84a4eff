"""Trial balances kept at points of the journal. The job that adds points also makes those of a journal that is already there."""

from alembic import op

from migrations.roles import role_of

revision = "wallet_ledger_0002"
down_revision = "wallet_ledger_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("""
        CREATE TABLE wallet_ledger.trial_balances (
            sequence bigint NOT NULL,
            currency text NOT NULL,
            kind text COLLATE "C" NOT NULL,
            accounts bigint NOT NULL,
            debits_minor numeric(38, 0) NOT NULL,
            credits_minor numeric(38, 0) NOT NULL,
            pending_debits_minor numeric(38, 0) NOT NULL,
            pending_credits_minor numeric(38, 0) NOT NULL,
            CONSTRAINT trial_balances_pkey PRIMARY KEY (sequence, currency, kind)
        )
    """)
    op.execute("COMMENT ON COLUMN wallet_ledger.trial_balances.sequence IS 'the last transaction that is counted'")
    op.execute("COMMENT ON COLUMN wallet_ledger.trial_balances.kind IS 'the first part of the addresses'")
    for name, what in {"only_grow": "UPDATE OR DELETE", "keep_all": "TRUNCATE"}.items():
        op.execute(f"""
            CREATE TRIGGER trial_balances_{name} BEFORE {what} ON wallet_ledger.trial_balances
            FOR EACH STATEMENT EXECUTE FUNCTION wallet_ledger.refuse('rows are only ever added')
        """)
    op.execute(f'REVOKE UPDATE, DELETE ON wallet_ledger.trial_balances FROM "{role_of("wallet_ledger")}"')
