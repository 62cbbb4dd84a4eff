"""Benchmarks: what Lendery's ledger does on a PostgreSQL server, next to what pgbench does on the same one.

`python -m bench.ledger --help` says what is measured; docs/performance.md says what it means.
"""
