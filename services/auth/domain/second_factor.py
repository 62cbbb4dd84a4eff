"""Second factors: what an account can prove a login with, besides its password."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, Self
from uuid import UUID

CodeMethod = Literal["totp", "sms", "email"]
"""Second factors that are set up with a code."""
MfaMethod = Literal["passkey", "totp", "sms", "email", "recovery_code"]
"""What a second step can be done with, in the order in which clients should offer it."""
StepUpMethod = Literal["passkey", "totp", "sms", "email", "recovery_code", "password"]

SETUP_TIME = timedelta(minutes=15)
"""How long a factor that was begun can be confirmed."""

_METHOD_REFERENCES = {
    "password": "pwd",
    "totp": "otp",
    "sms": "sms",
    "email": "email",
    "recovery_code": "recovery",
    "passkey": "pop",
}


def method_reference(method: StepUpMethod) -> str:
    """The name of a method in the `amr` claim: that of RFC 8176 where it has one."""
    return _METHOD_REFERENCES[method]


def added(methods: Iterable[str], *more: str) -> tuple[str, ...]:
    """Method references with `more` of them, each once. `mfa` comes last when there are two or more, and stays."""
    every = [*methods, *more]
    found = [method for method in dict.fromkeys(every) if method != "mfa"]
    return (*found, "mfa") if len(found) > 1 or "mfa" in every else tuple(found)


@dataclass(frozen=True)
class SecondFactor:
    """A factor with codes. `secret` is the key of an authenticator app, the number for messages, or nothing for e-mail.

    It counts once it is confirmed. `last_step` is the time step of the last app code that was taken.
    """

    id: UUID
    user_id: UUID
    method: CodeMethod
    secret: bytes | None
    created_at: datetime
    last_step: int | None = None
    confirmed_at: datetime | None = None
    last_used_at: datetime | None = None

    @property
    def confirmed(self) -> bool:
        """Whether the owner has proved that it works."""
        return self.confirmed_at is not None

    def confirmable(self, now: datetime) -> bool:
        """Whether it was begun lately and waits for its first code."""
        return not self.confirmed and now - self.created_at <= SETUP_TIME

    @property
    def number(self) -> str | None:
        """The phone number that codes go to."""
        return self.secret.decode() if self.method == "sms" and self.secret else None

    def used(self, now: datetime, step: int | None = None) -> Self:
        """A right code came; with it a factor that was only begun is confirmed."""
        return replace(self, last_used_at=now, confirmed_at=self.confirmed_at or now, last_step=step or self.last_step)


@dataclass(frozen=True)
class Factors:
    """All second factors of an account that count.

    A suspected passkey opens nothing, but an account with one goes on needing a second step: else a copy would be a way
    around it.
    """

    codes: tuple[SecondFactor, ...] = ()
    passkeys: int = 0
    suspected_passkeys: int = 0
    recovery_codes_left: int = 0

    @property
    def any(self) -> bool:
        """Whether a login needs a second step."""
        return bool(self.codes or self.passkeys or self.suspected_passkeys)

    @property
    def methods(self) -> tuple[MfaMethod, ...]:
        """What a second step can be done with, best first; nothing where the account has no second factor."""
        if not self.any:
            return ()
        has = {factor.method for factor in self.codes}
        first: tuple[MfaMethod, ...] = ("passkey",) if self.passkeys else ()
        last: tuple[MfaMethod, ...] = ("recovery_code",) if self.recovery_codes_left else ()
        order: tuple[CodeMethod, ...] = ("totp", "sms", "email")
        return (*first, *(method for method in order if method in has), *last)

    def step_up_methods(self, *, has_password: bool) -> tuple[StepUpMethod, ...]:
        """What proves that the owner is there: a second factor, or the password of an account without any."""
        if self.any:
            return self.methods
        return ("password",) if has_password else ()

    def of(self, method: str) -> SecondFactor | None:
        """The factor with codes of this method."""
        return next((factor for factor in self.codes if factor.method == method), None)


@dataclass(frozen=True)
class PendingLogin:
    """A login whose first step was right. `methods` are the references of that step; `token_hash` is what the client has."""

    id: UUID
    user_id: UUID
    token_hash: bytes
    methods: tuple[str, ...]
    device: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None

    def usable(self, now: datetime, password_changed_at: datetime | None) -> bool:
        """Whether it can still be finished: once, in time, and only if the password is the one that it began with."""
        changed = password_changed_at is not None and password_changed_at > self.created_at
        return self.used_at is None and now < self.expires_at and not changed
