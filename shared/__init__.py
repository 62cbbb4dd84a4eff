"""What at least two services use today.

Nothing here knows a business noun, except `contracts/`, which holds the messages that services exchange.
"""
