"""Which passwords are accepted, after NIST SP 800-63B: length and lists of leaked ones, no rules of composition."""

import re
import unicodedata
from collections.abc import Iterable

from services.auth.domain.common_passwords import COMMON_PASSWORDS
from shared.problems import FieldError, InvalidRequest

MIN_LENGTH = 10
MAX_LENGTH = 256

_SERVICE = "lendery"
_SHORTEST_WORD = 4
_LONGEST_PATTERN = 20  # whoever types more than that has earned it
_REPEATED = re.compile(r"(.{1,4}?)\1+.{0,3}", re.DOTALL)
_IN_A_ROW = ("abcdefghijklmnopqrstuvwxyz", "0123456789012345678901234567890", "qwertyuiopasdfghjklzxcvbnm")


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
    if folded in COMMON_PASSWORDS or _is_a_pattern(folded):
        return "is one of the first that anybody would try; choose another"
    if _is_about(folded, about):
        return "must not be your own name or e-mail address, nor the name of this service, with a few digits more or less"
    return None


def accepted(password: str, *, field: str, about: tuple[str, ...] = ()) -> str:
    """The normalised password. Raises `InvalidRequest` naming `field` and what to change."""
    if reason := refused_because(password, about=about):
        raise InvalidRequest(f"The password {reason}.", errors=[FieldError(field, f"The password {reason}")])
    return normalised(password)


def _is_a_pattern(folded: str) -> bool:
    """Few letters over and over, or a walk along the alphabet, the digits or the keyboard."""
    walks = any(folded in row or folded in row[::-1] for row in _IN_A_ROW)
    repeated = len(folded) <= _LONGEST_PATTERN and _REPEATED.fullmatch(folded)
    return walks or len(set(folded)) < 3 or bool(repeated)


def _is_about(folded: str, about: tuple[str, ...]) -> bool:
    """Whether nothing but known words is left of the password when digits and punctuation are taken away."""
    if folded in {known.casefold() for item in about for known in (item, item.partition("@")[0])}:
        return True
    left = _letters(folded)
    for word in sorted({_SERVICE, *_known_words(about)}, key=len, reverse=True):
        left = left.replace(word, "")
    return not left and bool(_letters(folded))


def _known_words(about: tuple[str, ...]) -> Iterable[str]:
    for item in about:
        for part in (item, *re.split(r"[\W_]+", item.partition("@")[0])):
            word = _letters(normalised(part).casefold())
            if len(word) >= _SHORTEST_WORD:
                yield word


def _letters(text: str) -> str:
    return "".join(letter for letter in text if letter.isalpha())
