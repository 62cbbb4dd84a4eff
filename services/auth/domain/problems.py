"""What can go wrong with an account, and what the person is told."""

from shared.problems import Forbidden, NotFound, Problem, RateLimited, Unauthenticated


class InvalidCredentials(Unauthenticated):
    """No account has this e-mail address and password. Which of the two is wrong is never said."""

    code = "invalid_credentials"
    title = "The e-mail address or the password is wrong"


class TooManyAttempts(RateLimited):
    """Too many wrong passwords for this account or from this address."""

    code = "too_many_attempts"
    title = "Too many wrong attempts; wait a moment"


class AccountSuspended(Forbidden):
    """The password is right, but an operator has suspended or closed the account."""

    code = "account_suspended"
    title = "This account is suspended"


class RefreshTokenInvalid(Unauthenticated):
    """The refresh token is unknown or its time is over."""

    code = "refresh_token_invalid"
    title = "Log in again"


class RefreshTokenReused(Unauthenticated):
    """An old refresh token came back: somebody may have stolen it, so the whole session was ended."""

    code = "refresh_token_reused"
    title = "This refresh token was used before; the session was ended"


class SessionEnded(Unauthenticated):
    """The access token is still good, but its session was ended or its account is not active."""

    code = "session_ended"
    title = "This session has ended; log in again"


class LinkInvalid(Problem):
    """The secret of a mailed link is unknown, was used before, or is too old."""

    status = 422
    code = "link_invalid"
    title = "This link does not work any more"


class WrongPassword(Problem):
    """The present password, asked for before it is changed, is not right."""

    status = 422
    code = "wrong_password"
    title = "The present password is wrong"


class SessionNotFound(NotFound):
    """The caller has no such session."""

    code = "session_not_found"
    title = "You have no such session"


class UserNotFound(NotFound):
    """There is no account with this id."""

    code = "user_not_found"
    title = "There is no such account"


class OwnAccount(Problem):
    """An administrator tried to change their own roles or status, and could have locked everybody out."""

    status = 409
    code = "own_account"
    title = "Another administrator must change your account"


class AccountClosed(Problem):
    """A closed account stays closed."""

    status = 409
    code = "account_closed"
    title = "This account is closed"


class KycNotFound(NotFound):
    """There is no submission, or document, with this id."""

    code = "kyc_not_found"
    title = "There is no such submission"


class KycPending(Problem):
    """A submission is waiting for its review."""

    status = 409
    code = "kyc_pending"
    title = "Your details are being checked already"


class KycAlreadyApproved(Problem):
    """The person's identity is confirmed; there is nothing to submit."""

    status = 409
    code = "kyc_already_approved"
    title = "Your identity is confirmed already"


class KycAlreadyDecided(Problem):
    """Somebody decided otherwise before."""

    status = 409
    code = "kyc_already_decided"
    title = "This submission was decided before"


class OwnSubmission(Forbidden):
    """Nobody reviews their own identity."""

    code = "own_submission"
    title = "Somebody else must review your details"
