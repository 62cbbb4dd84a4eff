"""Which passwords are accepted, after NIST SP 800-63B: length and a list of leaked ones, no rules of composition."""

import unicodedata

from services.auth.domain.common_passwords import COMMON_PASSWORDS
from shared.problems import FieldError, InvalidRequest

MIN_LENGTH = 10
MAX_LENGTH = 256


def normalised(password: str) -> str:
    """The password in Unicode form NFKC, so that every keyboard gives the same bytes for it."""
    return unicodedata.normalize("NFKC", password)


def refused_because(password: str, *, about: tuple[str, ...] = ()) -> str | None:
    """Why `password` is not accepted, as the end of a sentence, or None. `about` is what others know of the person."""
    password = normalised(password)
    folded = password.casefold()
    if "\x00" in password:
        return "must not hold a NUL character"
    if len(password) < MIN_LENGTH:
        return f"must have at least {MIN_LENGTH} characters"
    if len(password) > MAX_LENGTH:
        return f"must have at most {MAX_LENGTH} characters"
    if folded in COMMON_PASSWORDS or len(set(folded)) < 3:
        return "is one of the first that anybody would try; choose another"
    if folded in {known.casefold() for item in about for known in (item, item.partition("@")[0])}:
        return "must not be your own name or e-mail address"
    return None


def accepted(password: str, *, field: str, about: tuple[str, ...] = ()) -> str:
    """The normalised password. Raises `InvalidRequest` naming `field` and what to change."""
    if reason := refused_because(password, about=about):
        raise InvalidRequest(f"The password {reason}.", errors=[FieldError(field, f"The password {reason}")])
    return normalised(password)
