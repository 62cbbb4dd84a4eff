"""Reconciliation: providers' settlement reports, what the ledger moved of their accounts, and runs that compare."""

from alembic import op

from migrations.roles import role_of

revision = "payments_0002"
down_revision = "payments_0001"
branch_labels = None
depends_on = None

_APPEND_ONLY = ("settlement_reports", "settlement_rows", "reconciliation_runs", "reconciliation_items", "provider_movements")


def upgrade() -> None:
    """Apply."""
    for table in ("deposits", "withdrawals"):
        op.execute(f"CREATE INDEX {table}_settled_idx ON payments.{table} (provider, settled_at) WHERE settled_at IS NOT NULL")
    op.execute("ALTER TABLE payments.wallets ADD COLUMN closed boolean NOT NULL DEFAULT false")
    _create_settlements()
    _create_movements()
    _create_runs()
    _guard()


def _create_settlements() -> None:
    op.execute("""
        CREATE TABLE payments.settlement_days (
            provider text NOT NULL,
            day date NOT NULL,
            checked_at timestamptz,
            next_check_at timestamptz,
            claimed_until timestamptz,
            failures integer NOT NULL DEFAULT 0,
            last_error text,
            CONSTRAINT settlement_days_pkey PRIMARY KEY (provider, day)
        )
    """)
    op.execute("CREATE INDEX settlement_days_due_idx ON payments.settlement_days (next_check_at) WHERE next_check_at IS NOT NULL")
    op.execute("""
        CREATE TABLE payments.settlement_reports (
            id uuid CONSTRAINT settlement_reports_pkey PRIMARY KEY,
            provider text NOT NULL,
            day date NOT NULL,
            number integer NOT NULL,
            row_count integer NOT NULL,
            duplicate_count integer NOT NULL,
            digest bytea NOT NULL,
            fetched_at timestamptz NOT NULL,
            CONSTRAINT settlement_reports_number_key UNIQUE (provider, day, number)
        )
    """)
    op.execute("""
        CREATE TABLE payments.settlement_rows (
            report_id uuid NOT NULL,
            position integer NOT NULL,
            provider_row_id text NOT NULL,
            kind text NOT NULL CONSTRAINT settlement_rows_kind_check CHECK (kind IN ('payment', 'payout')),
            reference text NOT NULL,
            amount_minor bigint NOT NULL,
            fee_minor bigint NOT NULL,
            currency text NOT NULL,
            settled_at timestamptz NOT NULL,
            CONSTRAINT settlement_rows_pkey PRIMARY KEY (report_id, position)
        )
    """)
    op.execute("CREATE INDEX settlement_rows_reference_idx ON payments.settlement_rows (reference)")


def _create_movements() -> None:
    op.execute("""
        CREATE TABLE payments.provider_movements (
            transaction_id uuid NOT NULL,
            account text NOT NULL,
            provider text NOT NULL,
            currency text NOT NULL,
            debit_minor bigint NOT NULL,
            credit_minor bigint NOT NULL,
            kind text NOT NULL,
            reference text,
            requested_by text NOT NULL,
            booked_at timestamptz NOT NULL,
            CONSTRAINT provider_movements_pkey PRIMARY KEY (transaction_id, account)
        )
    """)
    op.execute("CREATE INDEX provider_movements_day_idx ON payments.provider_movements (provider, booked_at)")
    op.execute("CREATE INDEX provider_movements_reference_idx ON payments.provider_movements (reference)")


def _create_runs() -> None:
    op.execute("""
        CREATE TABLE payments.reconciliation_runs (
            id uuid CONSTRAINT reconciliation_runs_pkey PRIMARY KEY,
            provider text NOT NULL,
            day date NOT NULL,
            report_id uuid NOT NULL,
            started_by uuid,
            started_at timestamptz NOT NULL,
            finished_at timestamptz NOT NULL,
            matched integer NOT NULL,
            missing integer NOT NULL,
            surplus integer NOT NULL,
            amount_mismatch integer NOT NULL,
            totals jsonb NOT NULL,
            digest bytea NOT NULL
        )
    """)
    op.execute("CREATE INDEX reconciliation_runs_day_idx ON payments.reconciliation_runs (provider, day, id)")
    op.execute("""
        CREATE TABLE payments.reconciliation_items (
            run_id uuid NOT NULL,
            verdict text NOT NULL CONSTRAINT reconciliation_items_verdict_check
                CHECK (verdict IN ('matched', 'missing', 'surplus', 'amount_mismatch')),
            position integer NOT NULL,
            why text,
            kind text NOT NULL CONSTRAINT reconciliation_items_kind_check CHECK (kind IN ('payment', 'payout')),
            reference text NOT NULL,
            provider_row_id text,
            provider_amount_minor bigint,
            provider_fee_minor bigint,
            provider_currency text,
            settled_at timestamptz,
            booking_id uuid,
            booking_status text,
            booked_amount_minor bigint,
            booked_currency text,
            booked_at timestamptz,
            CONSTRAINT reconciliation_items_pkey PRIMARY KEY (run_id, verdict, position)
        )
    """)


def _guard() -> None:
    op.execute("""
        CREATE FUNCTION payments.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '%: rows are only ever added', TG_TABLE_NAME
                USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME;
        END
        $$
    """)
    for table in _APPEND_ONLY:
        for name, event in {"only_grow": "UPDATE OR DELETE", "keep_all": "TRUNCATE"}.items():
            op.execute(f"""
                CREATE TRIGGER {table}_{name} BEFORE {event} ON payments.{table}
                FOR EACH STATEMENT EXECUTE FUNCTION payments.refuse()
            """)
        op.execute(f'REVOKE UPDATE, DELETE ON payments.{table} FROM "{role_of("payments")}"')
