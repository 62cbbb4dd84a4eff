"""The first tables of lending."""

from alembic import op

from migrations.steps import create_sagas_table, create_shared_tables

revision = "lending_0001"
down_revision = None
branch_labels = ("lending",)
depends_on = None


def upgrade() -> None:
    """Apply."""
    create_shared_tables("lending")
    create_sagas_table("lending")
    op.execute("""
        CREATE TABLE lending.business_days (
            business_date DATE NOT NULL,
            status TEXT NOT NULL,
            last_loan_id UUID,
            counts JSONB NOT NULL,
            started_at timestamptz NOT NULL,
            closed_at timestamptz,
            PRIMARY KEY (business_date),
            CONSTRAINT business_days_status_check CHECK (status IN ('running', 'closed'))
        )
    """)
    op.execute("COMMENT ON TABLE lending.business_days IS 'Close of business: each date once, in order'")
    op.execute("COMMENT ON COLUMN lending.business_days.last_loan_id IS 'how far the day''s run over the loans has come'")
    op.execute("""
        CREATE TABLE lending.credit_assessments (
            id UUID NOT NULL,
            user_id UUID NOT NULL,
            currency TEXT NOT NULL,
            model_version TEXT NOT NULL,
            inputs JSONB NOT NULL,
            points INTEGER NOT NULL,
            default_probability NUMERIC(7, 6) NOT NULL,
            grade TEXT NOT NULL,
            annual_rate NUMERIC(12, 10) NOT NULL,
            factors JSONB NOT NULL,
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            PRIMARY KEY (id)
        )
    """)
    op.execute("CREATE INDEX credit_assessments_user_idx ON lending.credit_assessments (user_id, id)")
    op.execute("COMMENT ON COLUMN lending.credit_assessments.currency IS 'of the amounts in the inputs'")
    op.execute("COMMENT ON COLUMN lending.credit_assessments.inputs IS 'everything that the score was computed from'")
    op.execute("COMMENT ON COLUMN lending.credit_assessments.factors IS 'points per factor, with reasons and advice'")
    op.execute("""
        CREATE TABLE lending.people (
            user_id UUID NOT NULL,
            registered_at timestamptz NOT NULL,
            kyc_status TEXT DEFAULT 'unsubmitted' NOT NULL,
            kyc_id UUID,
            kyc_decided_at timestamptz,
            PRIMARY KEY (user_id),
            CONSTRAINT people_kyc_status_check CHECK (kyc_status IN ('unsubmitted', 'pending', 'approved', 'rejected'))
        )
    """)
    op.execute("COMMENT ON TABLE lending.people IS 'What lending knows of people: a projection of the auth service''s events'")
    op.execute("""
        CREATE TABLE lending.wallets (
            wallet_id UUID NOT NULL,
            user_id UUID NOT NULL,
            currency TEXT NOT NULL,
            PRIMARY KEY (wallet_id)
        )
    """)
    op.execute("COMMENT ON TABLE lending.wallets IS 'Whose wallet is whose: a projection of the ledger''s events'")
    op.execute("""
        CREATE TABLE lending.loans (
            id UUID NOT NULL,
            borrower_id UUID NOT NULL,
            wallet_id UUID NOT NULL,
            product_code TEXT NOT NULL,
            amount_minor BIGINT NOT NULL,
            currency TEXT NOT NULL,
            term_months INTEGER NOT NULL,
            purpose TEXT NOT NULL,
            method TEXT NOT NULL,
            day_count TEXT NOT NULL,
            surplus TEXT NOT NULL,
            annual_rate NUMERIC(12, 10) NOT NULL,
            risk_grade TEXT NOT NULL,
            assessment_id UUID,
            submitted_at timestamptz NOT NULL,
            status TEXT NOT NULL,
            pledged_minor BIGINT NOT NULL,
            funded_minor BIGINT NOT NULL,
            funding_ends_at timestamptz,
            disbursed_on DATE,
            closed_at timestamptz,
            reason TEXT,
            bucket INTEGER NOT NULL,
            outstanding_minor BIGINT NOT NULL,
            next_due_on DATE,
            worst_days_past_due INTEGER DEFAULT '0' NOT NULL,
            PRIMARY KEY (id),
            CONSTRAINT loans_status_check CHECK (status IN ('submitted', 'funding', 'declined', 'cancelled', 'expired', 'disbursing', 'active', 'repaid', 'failed')),
            CONSTRAINT loans_funding_check CHECK (0 <= funded_minor AND funded_minor <= pledged_minor AND pledged_minor <= amount_minor),
            CONSTRAINT loans_outstanding_check CHECK (0 <= outstanding_minor AND outstanding_minor <= amount_minor),
            FOREIGN KEY(assessment_id) REFERENCES lending.credit_assessments (id)
        )
    """)
    op.execute("CREATE INDEX loans_borrower_idx ON lending.loans (borrower_id, id)")
    op.execute("CREATE INDEX loans_funding_ends_idx ON lending.loans (funding_ends_at) WHERE status = 'funding'")
    op.execute("CREATE INDEX loans_next_due_idx ON lending.loans (next_due_on, id) WHERE status = 'active'")
    op.execute("CREATE INDEX loans_status_idx ON lending.loans (status, id)")
    op.execute("COMMENT ON COLUMN lending.loans.surplus IS 'what money beyond what is due does'")
    op.execute("COMMENT ON COLUMN lending.loans.pledged_minor IS 'pending and held investments'")
    op.execute("COMMENT ON COLUMN lending.loans.funded_minor IS 'held investments'")
    op.execute("COMMENT ON COLUMN lending.loans.reason IS 'why it was declined, cancelled or failed'")
    op.execute("COMMENT ON COLUMN lending.loans.bucket IS '0, 1, 31 or 61 days past due'")
    op.execute("COMMENT ON COLUMN lending.loans.outstanding_minor IS 'principal that is not paid back'")
    op.execute("COMMENT ON COLUMN lending.loans.next_due_on IS 'due day of the oldest installment that is not paid'")
    op.execute("COMMENT ON COLUMN lending.loans.worst_days_past_due IS 'over its whole life'")
    op.execute("""
        CREATE TABLE lending.investments (
            id UUID NOT NULL,
            loan_id UUID NOT NULL,
            lender_id UUID NOT NULL,
            wallet_id UUID NOT NULL,
            amount_minor BIGINT NOT NULL,
            currency TEXT NOT NULL,
            status TEXT NOT NULL,
            outstanding_minor BIGINT NOT NULL,
            principal_minor BIGINT NOT NULL,
            interest_minor BIGINT NOT NULL,
            service_fees_minor BIGINT NOT NULL,
            rejection_code TEXT,
            created_at timestamptz DEFAULT now() NOT NULL,
            PRIMARY KEY (id),
            CONSTRAINT investments_status_check CHECK (status IN ('pending', 'held', 'rejected', 'active', 'completed', 'written_off', 'released')),
            CONSTRAINT investments_outstanding_check CHECK (0 <= outstanding_minor AND outstanding_minor + principal_minor <= amount_minor),
            FOREIGN KEY(loan_id) REFERENCES lending.loans (id)
        )
    """)
    op.execute("CREATE INDEX investments_lender_idx ON lending.investments (lender_id, id)")
    op.execute("CREATE INDEX investments_loan_idx ON lending.investments (loan_id, id)")
    op.execute("COMMENT ON COLUMN lending.investments.id IS 'the funding id: time-ordered, breaks ties in splits'")
    op.execute("COMMENT ON COLUMN lending.investments.principal_minor IS 'received so far'")
    op.execute("COMMENT ON COLUMN lending.investments.interest_minor IS 'received so far, before the service fee'")
    op.execute("""
        CREATE TABLE lending.late_fees (
            loan_id UUID NOT NULL,
            number INTEGER NOT NULL,
            fee_minor BIGINT NOT NULL,
            charged_on DATE NOT NULL,
            position INTEGER NOT NULL,
            PRIMARY KEY (loan_id, number),
            FOREIGN KEY(loan_id) REFERENCES lending.loans (id)
        )
    """)
    op.execute("COMMENT ON COLUMN lending.late_fees.number IS 'of the installment that was late'")
    op.execute("COMMENT ON COLUMN lending.late_fees.position IS 'in the loan''s history, counted together with its repayments'")
    op.execute("""
        CREATE TABLE lending.loan_events (
            id UUID NOT NULL,
            loan_id UUID NOT NULL,
            type TEXT NOT NULL,
            business_date DATE NOT NULL,
            data JSONB NOT NULL,
            occurred_at timestamptz NOT NULL,
            PRIMARY KEY (id),
            FOREIGN KEY(loan_id) REFERENCES lending.loans (id)
        )
    """)
    op.execute("CREATE INDEX loan_events_loan_idx ON lending.loan_events (loan_id, id)")
    op.execute("COMMENT ON TABLE lending.loan_events IS 'What happened to a loan, for its parties to read'")
    op.execute("""
        CREATE TABLE lending.repayments (
            id UUID NOT NULL,
            loan_id UUID NOT NULL,
            payer_id UUID NOT NULL,
            wallet_id UUID NOT NULL,
            kind TEXT NOT NULL,
            status TEXT NOT NULL,
            amount_minor BIGINT NOT NULL,
            currency TEXT NOT NULL,
            paid_on DATE,
            position INTEGER,
            principal_minor BIGINT NOT NULL,
            interest_minor BIGINT NOT NULL,
            fees_minor BIGINT NOT NULL,
            rejection_code TEXT,
            rejection_detail TEXT,
            created_at timestamptz DEFAULT now() NOT NULL,
            PRIMARY KEY (id),
            CONSTRAINT repayments_kind_check CHECK (kind IN ('repayment', 'payoff')),
            CONSTRAINT repayments_status_check CHECK (status IN ('pending', 'posting', 'completed', 'rejected')),
            FOREIGN KEY(loan_id) REFERENCES lending.loans (id)
        )
    """)
    op.execute("CREATE INDEX repayments_loan_idx ON lending.repayments (loan_id, id)")
    op.execute("CREATE UNIQUE INDEX repayments_one_posting_idx ON lending.repayments (loan_id) WHERE status = 'posting'")
    op.execute("COMMENT ON TABLE lending.repayments IS 'One at a time a loan is being posted; the others wait their turn'")
    op.execute(
        "COMMENT ON COLUMN lending.repayments.paid_on IS 'the business date on which it counts; set when it is sent to the ledger'"
    )
    op.execute("COMMENT ON COLUMN lending.repayments.position IS 'in the loan''s history; set when it is sent to the ledger'")
    op.execute("""
        CREATE TABLE lending.repayment_shares (
            repayment_id UUID NOT NULL,
            investment_id UUID NOT NULL,
            principal_minor BIGINT NOT NULL,
            interest_minor BIGINT NOT NULL,
            service_fee_minor BIGINT NOT NULL,
            PRIMARY KEY (repayment_id, investment_id),
            FOREIGN KEY(repayment_id) REFERENCES lending.repayments (id),
            FOREIGN KEY(investment_id) REFERENCES lending.investments (id)
        )
    """)
    op.execute("CREATE INDEX repayment_shares_investment_idx ON lending.repayment_shares (investment_id)")
