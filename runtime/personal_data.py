"""docs/personal-data.md: what the platform has of people, what becomes of it, and how long it is kept, from the code."""

from datetime import timedelta
from importlib import import_module

from shared.privacy import PersonalData

_SERVICES = ("auth", "wallet_ledger", "lending", "payments", "notifications")
_MESSAGES = (
    "## In messages",
    "",
    "Outboxes, queues and dead letters hold messages between services. Sealed in them are the address, name and number in",
    "auth's events, all of an e-mail or text that is asked for (links, codes, where it goes), and parts of exports. In clear are",
    "ids, types, amounts, instants, which e-mail it is, what people write themselves (descriptions, purposes, names of wallets,",
    "operators' reasons) and the network address of an audited action. Inboxes hold ids only. On RabbitMQ a message stays until",
    "it is handled; the last 10,000 that nobody consumes stay in a queue of their own. A dead letter that nobody has decided",
    "about stays.",
)


def personal_data() -> str:
    """The document, as Markdown."""
    lines = [
        "# Personal data",
        "",
        "What each service has of a person: what `GET /v1/me/export` gives, what `DELETE /v1/me` does, what is kept and why.",
        "Written by `make contracts` from each service's `personal_data.py` and `sealed.py`: do not edit.",
    ]
    for service in _SERVICES:
        data: PersonalData = import_module(f"services.{service}.personal_data").PERSONAL_DATA
        lines += ["", f"## {service.replace('_', '-')}", "", "| | |", "| --- | --- |"]
        lines.append(f"| Exported | {', '.join(f'`{name}`' for name in _exported(data))} |")
        lines.append(f"| Stands in the way of erasure | {', '.join(f'`{code}`' for code in data.blocked_by) or 'nothing'} |")
        lines.append(f"| Deleted or made anonymous | {', '.join(f'`{kind}`' for kind in data.erased)} |")
        lines += [f"| Kept: `{kind}` | {why} |" for kind, why in data.kept.items()]
        if sealed := _sealed(service):
            lines.append(f"| Sealed in the database | {', '.join(f'`{name}`' for name in sealed)} |")
    lines += ["", *_MESSAGES]
    lines += ["", "## How long", "", "A job of the service deletes what is older.", "", "| What | Kept for |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| {what} | {_words(kept)} |" for what, kept in _retention())]) + "\n"


def _exported(data: PersonalData) -> list[str]:
    return [*data.exported, *(["identity_checks", "documents"] if data.extra_files else [])]


def _sealed(service: str) -> list[str]:
    return [column.name for column in import_module(f"services.{service}.sealed").SEALED]


def _retention() -> list[tuple[str, timedelta | str]]:
    from services.auth.commands import forget_old_rows as auth
    from services.auth.domain.privacy import ARCHIVE_KEPT, REPORT_KEPT
    from services.auth.personal_data import KYC_KEPT_YEARS
    from services.notifications.commands import forget_old_rows as notifications
    from shared.messaging import purge

    return [
        ("auth: sessions that have ended", auth._SESSIONS_KEPT),
        ("auth: links and codes that were sent", auth._LINKS_KEPT),
        ("auth: counters of attempts", auth._COUNTERS_KEPT),
        ("auth: archives of exports", ARCHIVE_KEPT),
        ("auth: reports of erasures", REPORT_KEPT),
        ("auth: confirmed identities of people who have left", f"{KYC_KEPT_YEARS} years"),
        ("auth: the audit log", "for ever"),
        ("notifications: e-mails and texts that were sent", notifications.KEEP_LETTERS),
        ("every service: messages that were delivered", purge.KEEP_PUBLISHED),
        ("every service: ids of messages that were handled", purge.KEEP_HANDLED),
        ("every service: messages that could not be handled, once decided about", purge.KEEP_DECIDED),
        ("wallet-ledger: every posting", "for ever, without identity once its owner has left"),
    ]


def _words(kept: timedelta | str) -> str:
    if isinstance(kept, str):
        return kept
    return f"{kept.days} days" if kept.days != 1 else "1 day"
