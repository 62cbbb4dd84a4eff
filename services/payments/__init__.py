"""Payments: money in and out of the platform, through payment providers.

It owns deposits, withdrawals and what providers told us about them. It promises that

- an intent is committed before a provider is called, and every call names our own reference, so that asking again never
  makes a second payment;
- nothing is credited on the word of a webhook or a browser: the provider is asked, and reference, amount and currency must
  be those of the intent;
- an answer that is neither a definite yes nor a definite no moves nothing: held money stays held until the provider has said;
- whatever is lost on the way (a webhook, an answer, this process) is found again by a job.

Balances belong to wallet-ledger: payments asks it to post, hold and release, and waits for what it says.
"""
