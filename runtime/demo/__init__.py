"""The lending story, played through the public API: a borrower, three lenders and an administrator.

`client` is what one person can do with the API, `story` the order of things, `narrator` how it looks on a terminal.
"""
