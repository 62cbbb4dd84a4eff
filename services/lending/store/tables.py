"""The tables of lending, as the migrations made them."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.tables import add_shared_tables
from shared.sagas.tables import add_sagas_table

metadata = sa.MetaData(schema="lending")
add_shared_tables(metadata)
add_sagas_table(metadata)

_INSTANT = sa.DateTime(timezone=True)

people = sa.Table(
    "people",
    metadata,
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("registered_at", _INSTANT, nullable=False),
    sa.Column("kyc_status", sa.Text, nullable=False, server_default=sa.text("'unsubmitted'")),
    sa.Column("kyc_id", sa.Uuid),
    sa.Column("kyc_decided_at", _INSTANT),
    sa.CheckConstraint("kyc_status IN ('unsubmitted', 'pending', 'approved', 'rejected')", name="people_kyc_status_check"),
    comment="What lending knows of people: a projection of the auth service's events",
)

wallets = sa.Table(
    "wallets",
    metadata,
    sa.Column("wallet_id", sa.Uuid, primary_key=True),
    sa.Column("user_id", sa.Uuid, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    comment="Whose wallet is whose: a projection of the ledger's events",
)

credit_assessments = sa.Table(
    "credit_assessments",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("user_id", sa.Uuid, nullable=False),
    sa.Column("currency", sa.Text, nullable=False, comment="of the amounts in the inputs"),
    sa.Column("model_version", sa.Text, nullable=False),
    sa.Column("inputs", sa.LargeBinary, nullable=False, comment="sealed: everything that the score was computed from"),
    sa.Column("points", sa.Integer, nullable=False),
    sa.Column("default_probability", sa.Numeric(7, 6), nullable=False),
    sa.Column("grade", sa.Text, nullable=False),
    sa.Column("annual_rate", sa.Numeric(12, 10), nullable=False),
    sa.Column("factors", sa.LargeBinary, nullable=False, comment="sealed: points per factor, with reasons and advice"),
    sa.Column("created_at", _INSTANT, nullable=False),
    sa.Column("expires_at", _INSTANT, nullable=False),
    sa.Index("credit_assessments_user_idx", "user_id", "id"),
)

loans = sa.Table(
    "loans",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("borrower_id", sa.Uuid, nullable=False),
    sa.Column("wallet_id", sa.Uuid, nullable=False),
    sa.Column("product_code", sa.Text, nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("term_months", sa.Integer, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("day_count", sa.Text, nullable=False),
    sa.Column("surplus", sa.Text, nullable=False, comment="what money beyond what is due does"),
    sa.Column("annual_rate", sa.Numeric(12, 10), nullable=False),
    sa.Column("risk_grade", sa.Text, nullable=False),
    sa.Column("assessment_id", sa.Uuid, sa.ForeignKey(credit_assessments.c.id)),
    sa.Column("submitted_at", _INSTANT, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("pledged_minor", sa.BigInteger, nullable=False, comment="pending and held investments"),
    sa.Column("funded_minor", sa.BigInteger, nullable=False, comment="held investments"),
    sa.Column("funding_ends_at", _INSTANT),
    sa.Column("disbursed_on", sa.Date),
    sa.Column("closed_at", _INSTANT),
    sa.Column("reason", sa.Text, comment="why it was declined, cancelled or failed"),
    sa.Column("bucket", sa.Integer, nullable=False, comment="0, 1, 31 or 61 days past due"),
    sa.Column("outstanding_minor", sa.BigInteger, nullable=False, comment="principal that is not paid back"),
    sa.Column("next_due_on", sa.Date, comment="due day of the oldest installment that is not paid"),
    sa.Column("worst_days_past_due", sa.Integer, nullable=False, server_default="0", comment="over its whole life"),
    sa.CheckConstraint(
        "status IN ('submitted', 'funding', 'declined', 'cancelled', 'expired', 'disbursing', 'active', 'repaid', 'failed')",
        name="loans_status_check",
    ),
    sa.CheckConstraint(
        "0 <= funded_minor AND funded_minor <= pledged_minor AND pledged_minor <= amount_minor", name="loans_funding_check"
    ),
    sa.CheckConstraint("0 <= outstanding_minor AND outstanding_minor <= amount_minor", name="loans_outstanding_check"),
    sa.Index("loans_borrower_idx", "borrower_id", "id"),
    sa.Index("loans_status_idx", "status", "id"),
    sa.Index("loans_next_due_idx", "next_due_on", "id", postgresql_where=sa.text("status = 'active'")),
    sa.Index("loans_funding_ends_idx", "funding_ends_at", postgresql_where=sa.text("status = 'funding'")),
)

loan_events = sa.Table(
    "loan_events",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("loan_id", sa.Uuid, sa.ForeignKey(loans.c.id), nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("business_date", sa.Date, nullable=False),
    sa.Column("data", JSONB, nullable=False),
    sa.Column("occurred_at", _INSTANT, nullable=False),
    sa.Index("loan_events_loan_idx", "loan_id", "id"),
    comment="What happened to a loan, for its parties to read",
)

investments = sa.Table(
    "investments",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True, comment="the funding id: time-ordered, breaks ties in splits"),
    sa.Column("loan_id", sa.Uuid, sa.ForeignKey(loans.c.id), nullable=False),
    sa.Column("lender_id", sa.Uuid, nullable=False),
    sa.Column("wallet_id", sa.Uuid, nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("outstanding_minor", sa.BigInteger, nullable=False),
    sa.Column("principal_minor", sa.BigInteger, nullable=False, comment="received so far"),
    sa.Column("interest_minor", sa.BigInteger, nullable=False, comment="received so far, before the service fee"),
    sa.Column("service_fees_minor", sa.BigInteger, nullable=False),
    sa.Column("rejection_code", sa.Text),
    sa.Column("created_at", _INSTANT, nullable=False, server_default=sa.text("now()")),
    sa.CheckConstraint(
        "status IN ('pending', 'held', 'rejected', 'active', 'completed', 'written_off', 'released')",
        name="investments_status_check",
    ),
    sa.CheckConstraint(
        "0 <= outstanding_minor AND outstanding_minor + principal_minor <= amount_minor", name="investments_outstanding_check"
    ),
    sa.Index("investments_loan_idx", "loan_id", "id"),
    sa.Index("investments_lender_idx", "lender_id", "id"),
)

repayments = sa.Table(
    "repayments",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("loan_id", sa.Uuid, sa.ForeignKey(loans.c.id), nullable=False),
    sa.Column("payer_id", sa.Uuid, nullable=False),
    sa.Column("wallet_id", sa.Uuid, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("paid_on", sa.Date, comment="the business date on which it counts; set when it is sent to the ledger"),
    sa.Column("position", sa.Integer, comment="in the loan's history; set when it is sent to the ledger"),
    sa.Column("principal_minor", sa.BigInteger, nullable=False),
    sa.Column("interest_minor", sa.BigInteger, nullable=False),
    sa.Column("fees_minor", sa.BigInteger, nullable=False),
    sa.Column("rejection_code", sa.Text),
    sa.Column("rejection_detail", sa.Text),
    sa.Column("created_at", _INSTANT, nullable=False, server_default=sa.text("now()")),
    sa.CheckConstraint("kind IN ('repayment', 'payoff')", name="repayments_kind_check"),
    sa.CheckConstraint("status IN ('pending', 'posting', 'completed', 'rejected')", name="repayments_status_check"),
    sa.Index("repayments_loan_idx", "loan_id", "id"),
    sa.Index("repayments_one_posting_idx", "loan_id", unique=True, postgresql_where=sa.text("status = 'posting'")),
    comment="One at a time a loan is being posted; the others wait their turn",
)

repayment_shares = sa.Table(
    "repayment_shares",
    metadata,
    sa.Column("repayment_id", sa.Uuid, sa.ForeignKey(repayments.c.id), primary_key=True),
    sa.Column("investment_id", sa.Uuid, sa.ForeignKey(investments.c.id), primary_key=True),
    sa.Column("principal_minor", sa.BigInteger, nullable=False),
    sa.Column("interest_minor", sa.BigInteger, nullable=False),
    sa.Column("service_fee_minor", sa.BigInteger, nullable=False),
    sa.Index("repayment_shares_investment_idx", "investment_id"),
)

late_fees = sa.Table(
    "late_fees",
    metadata,
    sa.Column("loan_id", sa.Uuid, sa.ForeignKey(loans.c.id), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, comment="of the installment that was late"),
    sa.Column("fee_minor", sa.BigInteger, nullable=False),
    sa.Column("charged_on", sa.Date, nullable=False),
    sa.Column("position", sa.Integer, nullable=False, comment="in the loan's history, counted together with its repayments"),
)

business_days = sa.Table(
    "business_days",
    metadata,
    sa.Column("business_date", sa.Date, primary_key=True),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("last_loan_id", sa.Uuid, comment="how far the day's run over the loans has come"),
    sa.Column("counts", JSONB, nullable=False),
    sa.Column("started_at", _INSTANT, nullable=False),
    sa.Column("closed_at", _INSTANT),
    sa.CheckConstraint("status IN ('running', 'closed')", name="business_days_status_check"),
    comment="Close of business: each date once, in order",
)
