"""What an API client can be allowed to do: the scopes that the gateway's routes ask for.

A route of the gateway that asks for a scope that is not here stops it at its start.
"""

from collections.abc import Mapping

SCOPES: Mapping[str, str] = {
    "wallets:read": "See wallets, balances, entries and statements",
    "wallets:write": "Open wallets",
    "transfers:write": "Send money from wallets",
    "payments:read": "See deposits, withdrawals, payout destinations, mandates and invoices",
    "payments:write": "Start deposits and withdrawals, change payout destinations and mandates",
    "loans:read": "See loans, schedules, repayments and the credit assessment",
    "loans:write": "Apply for loans and repay them",
    "investments:read": "See investments, automatic rules and the portfolio",
    "investments:write": "Invest, and change automatic rules",
    "assets:read": "See things to lend and tickets",
    "assets:write": "Offer things, and change tickets",
    "webhooks:read": "See webhook endpoints and deliveries",
    "webhooks:write": "Change webhook endpoints and replay deliveries",
}
