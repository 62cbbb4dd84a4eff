"""What an SMTP failure means for the e-mail. Reasons are codes only: servers quote addresses in their texts.

4xx is "later" and 5xx is "never" (RFC 5321 §4.2.1), with one exception: when a server refuses our greeting, our login or
our sender, the fault is in the configuration, and the e-mail waits for it to be corrected. A connection that is lost
while an e-mail is under way leaves open whether the server took it.
"""

import re

from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPHeloError,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from services.notifications.providers.base import Deferred, Outcome, Refused, Unreachable

# Everything that a server, the network or an unusable address can make aiosmtplib raise.
TROUBLE = (SMTPException, OSError, TimeoutError, ValueError)

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?!\d)")
_LOGIN_WANTED = frozenset({530, 534, 535, 538})
_TOO_LARGE = 552


def outcome_of(error: BaseException) -> Outcome:
    """The outcome of an e-mail whose sending raised `error`."""
    if isinstance(error, SMTPRecipientsRefused):
        return outcome_of(error.recipients[0])
    if isinstance(error, SMTPHeloError | SMTPAuthenticationError):
        return Unreachable(reason_of(error))
    if isinstance(error, SMTPResponseException):
        if error.code in _LOGIN_WANTED:
            return Unreachable(reason_of(error))
        configuration = isinstance(error, SMTPSenderRefused) and error.code != _TOO_LARGE
        return Refused(reason_of(error)) if error.code >= 500 and not configuration else Deferred(reason_of(error))
    if isinstance(error, SMTPNotSupported):
        return Refused("address_not_supported")
    if isinstance(error, ValueError):
        return Refused("invalid_address")
    return Deferred(reason_of(error), unknown=True)


def reason_of(error: BaseException) -> str:
    """A short name of the failure: the reply code and enhanced code, or the kind of error."""
    if isinstance(error, SMTPResponseException):
        enhanced = _ENHANCED.match(error.message)
        return f"{error.code} {enhanced.group()}" if enhanced else str(error.code)
    return type(error).__name__
