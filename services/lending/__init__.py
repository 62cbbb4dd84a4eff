"""Lending: loans from application to the last repayment, and the investments behind them.

Owns: credit assessments, loans, funding rounds, investments, repayments and how they are shared out, business dates.

Promises:
- A loan is funded whole or not at all, never above its amount, and is paid out in one ledger transaction.
- Every minor unit of a repayment reaches the lenders or a fee account; parts always sum to the whole.
- Each business date is closed once, in order, however often it is asked for and wherever it was interrupted.

It holds no money: it asks the ledger to move it, and changes its own state when the ledger says that it did.
"""
