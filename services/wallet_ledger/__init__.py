"""Wallet-ledger: everybody's money, in wallets in front and a double-entry ledger behind.

It owns wallets, accounts, holds and the journal of transactions. It promises that

- a transaction takes effect whole or not at all, and its outcome is the same for ever, however often it is asked for;
- money is neither made nor lost: every transfer takes from one account what it gives to another of the same currency;
- no wallet, loan or escrow account goes below zero, held money counted as gone, whoever races;
- the journal is only added to. Every row says what both its accounts held after it and how many rows they had, so that a
  loss or an edit shows; PostgreSQL refuses anything else from every writer, and `queries.verification` proves it;
- what was posted or rejected is told in an event, exactly one for each transaction.

Other services move money by sending `wallet_ledger.transaction.post`; people through `POST /v1/transfers`. Both go through
the one `Context.poster`, which posts whatever waits in one short database transaction (see `store.lane`).
"""
