"""What lending has of a person: how it is exported and forgotten."""

from services.lending.store.assessments import open_assessment
from shared.privacy import PersonalData

PERSONAL_DATA = PersonalData(
    service="lending",
    exported={
        "person": "SELECT user_id, registered_at, kyc_status, kyc_decided_at FROM people WHERE user_id = $1",
        "wallets": "SELECT wallet_id, currency FROM wallets WHERE user_id = $1 ORDER BY wallet_id",
        "credit_assessments": """SELECT id, currency, model_version, inputs, points, default_probability, grade, annual_rate,
            factors, created_at, expires_at FROM credit_assessments WHERE user_id = $1 ORDER BY id DESC""",
        "loans": "SELECT * FROM loans WHERE borrower_id = $1 ORDER BY id DESC",
        "loan_events": """SELECT e.loan_id, e.type, e.business_date, e.data, e.occurred_at
            FROM loan_events e JOIN loans l ON l.id = e.loan_id WHERE l.borrower_id = $1 ORDER BY e.id DESC""",
        "late_fees": """SELECT f.loan_id, f.number, f.fee_minor, f.charged_on
            FROM late_fees f JOIN loans l ON l.id = f.loan_id WHERE l.borrower_id = $1 ORDER BY f.charged_on DESC""",
        "repayments": "SELECT * FROM repayments WHERE payer_id = $1 ORDER BY id DESC",
        "investments": "SELECT * FROM investments WHERE lender_id = $1 ORDER BY id DESC",
        "received_shares": """SELECT s.* FROM repayment_shares s JOIN investments i ON i.id = s.investment_id
            WHERE i.lender_id = $1 ORDER BY s.repayment_id DESC""",
    },
    opened={"credit_assessments": open_assessment},
    blocked_by={
        "loan_open": """SELECT 'Your loan ' || id || ' is ' || status || ': repay it, or cancel the application, first.'
            FROM loans WHERE borrower_id = $1 AND status IN ('submitted', 'funding', 'disbursing', 'active') ORDER BY id""",
        "investment_open": """SELECT 'Your investment ' || id || ' is ' || status || ': wait until it has been paid back.'
            FROM investments WHERE lender_id = $1 AND status IN ('pending', 'held', 'active') ORDER BY id""",
    },
    erased={
        "credit_assessments": """DELETE FROM credit_assessments a
            WHERE a.user_id = $1 AND NOT EXISTS (SELECT FROM loans l WHERE l.assessment_id = a.id)""",
        "loans": "UPDATE loans SET purpose = 'Erased' WHERE borrower_id = $1 AND purpose <> 'Erased'",
    },
    kept={
        "loans": "amounts, dates and outcome of loans, repayments and investments, by id: bookkeeping law, and the other party",
        "credit_assessments": "those that a loan was decided on, by id: why somebody got it, or did not",
        "person": "the id and whether the identity was confirmed: what loans refer to",
    },
)
