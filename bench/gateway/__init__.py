"""Benchmark of the gateway, with everything on, between a bare aiohttp pass-through and nginx before the same upstream.

`python -m bench.gateway --help` says what is measured; docs/performance.md says what it means.
"""
