"""What lending does together with the ledger, as tables of states.

`investment` reserves one lender's money, `funding` turns a funded loan into a paid-out one or gives everybody their
money back, `repayment` takes one payment from the borrower and shares it out. A saga waits for the answer to exactly
one ledger transaction at a time, `awaiting`; answers to others are not for it.
"""
