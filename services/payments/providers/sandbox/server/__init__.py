"""The sandbox payment provider itself: a real separate little payment page and API, for development and tests.

It knows nothing of the platform but the address of its webhook and the secret that both share, and never runs in production.
"""
