"""What operators see of e-mails."""

from prometheus_client import Counter, Gauge

EMAILS = Counter(
    "lendery_emails_total",
    "Attempts to send an e-mail by what came of them: sent, deferred, unknown, failed, expired, unreachable",
    ["template", "outcome"],
)
TEXTS = Counter(
    "lendery_texts_total",
    "Attempts to send a text message by what came of them: sent, deferred, unknown, failed, expired, unreachable",
    ["template", "outcome"],
)
EMAILS_PENDING = Gauge("lendery_emails_pending", "E-mails waiting to be sent, as the process saw that sent last")
