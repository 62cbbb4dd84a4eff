"""The chapters of the API reference, in the order in which somebody new would read them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Chapter:
    """A tag of the merged document. `prefixes` are beginnings of paths, in which `-` stands for a parameter."""

    name: str
    description: str
    prefixes: tuple[str, ...]


CHAPTERS = (
    Chapter(
        "Signing in",
        "Accounts, access tokens, sessions and second factors. Register, log in, and send the token with every other call.",
        ("/v1/auth", "/.well-known"),
    ),
    Chapter("Profile", "What Lendery knows about you: read it, correct it, take it with you, have it erased.", ("/v1/me",)),
    Chapter(
        "Identity checks",
        "Proof of who you are (KYC). Borrowing waits until it is approved.",
        ("/v1/kyc",),
    ),
    Chapter(
        "Wallets",
        "Your money: one wallet a currency, each movement with the balance after it. "
        "`available` is what can be spent now, `held` is promised to something that is under way.",
        ("/v1/wallets", "/v1/transactions"),
    ),
    Chapter("Transfers", "Sending money to another person's wallet, at once.", ("/v1/transfers",)),
    Chapter(
        "Deposits",
        "Money in. A deposit gives a `checkout_url`; once the provider confirms the payment, the wallet has the money.",
        ("/v1/deposits", "/v1/payment-providers"),
    ),
    Chapter(
        "Withdrawals",
        "Money out. The amount is held in the wallet until the payout has gone; a failed payout puts it back.",
        ("/v1/withdrawals", "/v1/payout-destinations"),
    ),
    Chapter(
        "Loans",
        "Borrowing: a quote, an application, funding by many lenders, and the schedule that follows.",
        ("/v1/loans",),
    ),
    Chapter(
        "Repayments",
        "Paying a loan back: an amount, all of it, or automatically on each due day.",
        ("/v1/loans/-/repayments", "/v1/loans/-/payoff", "/v1/mandates", "/v1/invoices"),
    ),
    Chapter(
        "Investments",
        "Lending: a share of somebody's loan, rules that invest for you, and what all of it earns.",
        ("/v1/loans/-/investments", "/v1/investments", "/v1/auto-invest-rules", "/v1/portfolio"),
    ),
    Chapter(
        "Credit",
        "The score behind a loan's rate, with the points that each factor gave.",
        ("/v1/credit-assessments",),
    ),
    Chapter("Things", "Lending things: listings, and the tickets under which they change hands.", ("/v1/assets", "/v1/tickets")),
    Chapter(
        "Notifications",
        "What people are told: the feed, live updates, and which messages reach them where.",
        ("/v1/notifications", "/v1/notification-preferences", "/v1/devices", "/v1/stream"),
    ),
    Chapter(
        "Webhooks",
        "What your systems are told: signed requests to your address when something happens.",
        ("/v1/webhook-endpoints", "/v1/webhook-deliveries", "/v1/event-types"),
    ),
    Chapter("API clients", "Credentials for programs, with scopes.", ("/v1/api-clients",)),
    Chapter("Provider callbacks", "Where payment and identity providers report. Not for API clients.", ("/v1/webhooks",)),
    Chapter(
        "Operations", "Decisions, treasury, reports and audits. For people with the role `support` or `admin`.", ("/v1/admin",)
    ),
)


def chapter_of(path: str) -> Chapter | None:
    """The chapter whose longest prefix fits `path` (parameters written as `-`)."""
    fitting = [
        (len(prefix), chapter)
        for chapter in CHAPTERS
        for prefix in chapter.prefixes
        if path == prefix or path.startswith(prefix + "/")
    ]
    return max(fitting, key=lambda found: found[0])[1] if fitting else None
