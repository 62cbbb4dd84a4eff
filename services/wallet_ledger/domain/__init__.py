"""The ledger's rules, pure: no input or output, no clock, no framework.

`ledger.run_batch` takes a batch of transactions and a `book` (the accounts, holds and known outcomes that the batch
names) and gives an outcome for each transaction and the rows to write. Everything that the database is asked to enforce
is decided here first; the database's checks are for every other writer.
"""
