"""Operators' work: why accounts are frozen, adjustments by two people, nightly reconciliations, readers of the journal."""

from alembic import op

from migrations.roles import role_of

revision = "wallet_ledger_0003"
down_revision = "wallet_ledger_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    _create_account_tables()
    _keep_old_freezes()
    _create_adjustments()
    _create_reconciliations()
    _guard()


def _create_account_tables() -> None:
    op.execute("CREATE INDEX accounts_currency_idx ON wallet_ledger.accounts (currency, address)")
    op.execute("""
        CREATE TABLE wallet_ledger.account_freezes (
            account_id bigint NOT NULL,
            cause text NOT NULL CONSTRAINT account_freezes_cause_check CHECK (cause IN ('operator', 'suspension')),
            reason text NOT NULL,
            frozen_by uuid,
            frozen_at timestamptz NOT NULL,
            CONSTRAINT account_freezes_pkey PRIMARY KEY (account_id, cause)
        )
    """)
    op.execute("""
        CREATE TABLE wallet_ledger.wallet_uses (
            reference text COLLATE "C" CONSTRAINT wallet_uses_pkey PRIMARY KEY,
            user_id uuid NOT NULL,
            currency text NOT NULL,
            wallet_id uuid,
            loan_id uuid,
            since timestamptz NOT NULL
        )
    """)
    op.execute("CREATE INDEX wallet_uses_user_id_idx ON wallet_ledger.wallet_uses (user_id)")
    op.execute("CREATE INDEX wallet_uses_loan_id_idx ON wallet_ledger.wallet_uses (loan_id) WHERE loan_id IS NOT NULL")
    op.execute("""
        CREATE TABLE wallet_ledger.journal_readers (
            name text COLLATE "C" CONSTRAINT journal_readers_pkey PRIMARY KEY,
            sequence bigint NOT NULL
        )
    """)


def _keep_old_freezes() -> None:
    """Until now a frozen account did not say why: it was its owner's suspension, or else somebody's hand."""
    op.execute("""
        INSERT INTO wallet_ledger.account_freezes (account_id, cause, reason, frozen_at)
        SELECT a.id, CASE WHEN p.active IS FALSE THEN 'suspension' ELSE 'operator' END, 'Frozen before reasons were kept', now()
        FROM wallet_ledger.accounts a
        LEFT JOIN wallet_ledger.wallets w ON w.account_id = a.id
        LEFT JOIN wallet_ledger.people p ON p.user_id = w.user_id
        WHERE a.status = 'frozen'
    """)


def _create_adjustments() -> None:
    op.execute("""
        CREATE TABLE wallet_ledger.adjustments (
            id uuid CONSTRAINT adjustments_pkey PRIMARY KEY,
            kind text NOT NULL CONSTRAINT adjustments_kind_check CHECK (kind IN ('transfers', 'reversal')),
            entries jsonb NOT NULL,
            reverses_id uuid,
            reference text COLLATE "C",
            effective_on date,
            reason text NOT NULL,
            requested_by uuid NOT NULL,
            requested_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            status text NOT NULL,
            decided_by uuid,
            decided_at timestamptz,
            decision_reason text,
            transaction_id uuid NOT NULL,
            outcome text,
            rejection_code text,
            rejection_detail text,
            CONSTRAINT adjustments_reversal_check CHECK ((kind = 'reversal') = (reverses_id IS NOT NULL)),
            CONSTRAINT adjustments_status_check CHECK (
                status IN ('awaiting_approval', 'approved', 'declined', 'expired')
                AND (status = 'awaiting_approval') = (decided_at IS NULL)
            ),
            CONSTRAINT adjustments_second_person_check CHECK (
                status <> 'approved' OR (decided_by IS NOT NULL AND decided_by <> requested_by)
            ),
            CONSTRAINT adjustments_outcome_check CHECK (
                outcome IS NULL OR (status = 'approved' AND outcome IN ('posted', 'rejected')
                AND (outcome = 'rejected') = (rejection_code IS NOT NULL))
            )
        )
    """)
    op.execute("COMMENT ON COLUMN wallet_ledger.adjustments.transaction_id IS 'what it is posted as, once it is approved'")
    op.execute("COMMENT ON COLUMN wallet_ledger.adjustments.outcome IS 'what the ledger said to it'")
    op.execute(
        "CREATE INDEX adjustments_awaiting_idx ON wallet_ledger.adjustments (expires_at) WHERE status = 'awaiting_approval'"
    )
    op.execute(
        "CREATE INDEX adjustments_unposted_idx ON wallet_ledger.adjustments (decided_at)"
        " WHERE status = 'approved' AND outcome IS NULL"
    )
    op.execute(
        "CREATE UNIQUE INDEX adjustments_reversal_key ON wallet_ledger.adjustments (reverses_id)"
        " WHERE reverses_id IS NOT NULL AND status = 'awaiting_approval'"
    )


def _create_reconciliations() -> None:
    op.execute("""
        CREATE TABLE wallet_ledger.reconciliations (
            id uuid CONSTRAINT reconciliations_pkey PRIMARY KEY,
            day date NOT NULL,
            started_by uuid,
            started_at timestamptz NOT NULL,
            finished_at timestamptz NOT NULL,
            last_sequence bigint NOT NULL,
            accounts bigint NOT NULL,
            transfers bigint NOT NULL,
            balanced boolean NOT NULL,
            mismatch_count integer NOT NULL,
            mismatches jsonb NOT NULL,
            CONSTRAINT reconciliations_balanced_check CHECK (balanced = (mismatch_count = 0))
        )
    """)
    for column, meaning in {
        "day": "the day that had ended", "started_by": "null: it ran by itself", "mismatches": "the first of them",
    }.items():  # fmt: skip
        op.execute(f"COMMENT ON COLUMN wallet_ledger.reconciliations.{column} IS '{meaning}'")
    op.execute("CREATE UNIQUE INDEX reconciliations_night_key ON wallet_ledger.reconciliations (day) WHERE started_by IS NULL")


def _guard() -> None:
    """What was asked for and decided stays as it was, whoever asks."""
    for table, what in {"reconciliations": "UPDATE OR DELETE", "adjustments": "DELETE"}.items():
        for name, event in {"keep": what, "keep_all": "TRUNCATE"}.items():
            op.execute(f"""
                CREATE TRIGGER {table}_{name} BEFORE {event} ON wallet_ledger.{table}
                FOR EACH STATEMENT EXECUTE FUNCTION wallet_ledger.refuse('rows are kept for ever')
            """)
    op.execute("""
        CREATE TRIGGER adjustments_decide_once BEFORE UPDATE ON wallet_ledger.adjustments FOR EACH ROW
        WHEN (
            (NEW.id, NEW.kind, NEW.entries, NEW.reverses_id, NEW.reference, NEW.effective_on, NEW.reason, NEW.requested_by,
             NEW.requested_at, NEW.transaction_id)
                IS DISTINCT FROM
            (OLD.id, OLD.kind, OLD.entries, OLD.reverses_id, OLD.reference, OLD.effective_on, OLD.reason, OLD.requested_by,
             OLD.requested_at, OLD.transaction_id)
            OR (OLD.status <> 'awaiting_approval' AND (NEW.status, NEW.decided_by, NEW.decided_at)
                IS DISTINCT FROM (OLD.status, OLD.decided_by, OLD.decided_at))
            OR OLD.outcome IS NOT NULL
        ) EXECUTE FUNCTION wallet_ledger.refuse('an adjustment is decided once and otherwise kept as it was asked for')
    """)
    role = role_of("wallet_ledger")
    op.execute(f'REVOKE UPDATE, DELETE ON wallet_ledger.reconciliations FROM "{role}"')
    op.execute(f'REVOKE DELETE ON wallet_ledger.adjustments FROM "{role}"')
