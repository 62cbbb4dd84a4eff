"""What can go wrong with an account, and what the person is told."""

from shared.identity.revocations import SessionEnded as SessionEnded
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


class SigningKeyNotFound(NotFound):
    """There is no signing key with this id."""

    code = "signing_key_not_found"
    title = "There is no such signing key"


class UserNotFound(NotFound):
    """There is no account with this id."""

    code = "user_not_found"
    title = "There is no such account"


class LastAdministrator(Problem):
    """Nobody could administer the platform any more."""

    status = 409
    code = "last_administrator"
    title = "This is the last administrator"


class SecondPersonRequired(Forbidden):
    """Two people must agree, and the caller is one of those whom it is about."""

    code = "second_person_required"
    title = "Somebody else must approve this"


class RoleGrantNotFound(NotFound):
    """There is no request for roles with this id."""

    code = "role_grant_not_found"
    title = "There is no such request"


class RoleGrantDecided(Problem):
    """The request for roles was decided, has expired, or is void."""

    status = 409
    code = "role_grant_decided"
    title = "This request cannot be decided any more"


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


class KycProviderNotFound(NotFound):
    """No company of this name checks identities for us."""

    code = "kyc_provider_not_found"
    title = "There is no such provider"


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


class KycClaimed(Problem):
    """Another reviewer has taken the submission and not given it back."""

    status = 409
    code = "kyc_claimed"
    title = "Somebody else is reviewing this submission"


class ErasureRefused(Problem):
    """The person cannot be forgotten yet: `blockers` says why, each with a code and what to do."""

    status = 409
    code = "erasure_refused"
    title = "Your account cannot be erased yet"


class ErasureNotFound(NotFound):
    """There is no report at this address, or not any more."""

    code = "erasure_report_not_found"
    title = "There is no such report"


class OwnSubmission(Forbidden):
    """Nobody reviews their own identity."""

    code = "own_submission"
    title = "Somebody else must review your details"


class ScopeNotAllowed(Problem):
    """A scope that there is not, that the owner may not give, or that the client was not given."""

    status = 422
    code = "scope_not_allowed"
    title = "This scope cannot be given"


class ApiClientNotFound(NotFound):
    """The caller has no such API client."""

    code = "api_client_not_found"
    title = "You have no such API client"


class TooManyApiClients(Problem):
    """The caller has as many API clients as one person may have."""

    status = 409
    code = "too_many_api_clients"
    title = "You have as many API clients as there may be"


class ClientRefused(Unauthenticated):
    """The client is unknown, its secret is wrong, or it may not be used: which of these is never said."""

    code = "invalid_client"
    title = "The client id or the secret is wrong"


class SignOnProviderNotFound(NotFound):
    """Nobody can sign on with a provider of this name."""

    code = "sign_on_provider_not_found"
    title = "There is no such provider to sign on with"


class ReturnAddressNotAllowed(Problem):
    """After a sign-on people are sent to addresses of ours only."""

    status = 422
    code = "return_address_not_allowed"
    title = "People cannot be sent to this address"


class SignOnInvalid(Problem):
    """The sign-on is unknown, was used, took too long, or was begun in another browser."""

    status = 422
    code = "sign_on_invalid"
    title = "This sign-on is over; begin anew"


class IdentityNotFound(NotFound):
    """The caller has no such identity."""

    code = "identity_not_found"
    title = "You have no such identity"


class LastWayIn(Problem):
    """Without it nobody could open the account any more."""

    status = 409
    code = "last_way_in"
    title = "This is the only way into your account"


class EmailUnchanged(Problem):
    """The account has this e-mail address already."""

    status = 422
    code = "email_unchanged"
    title = "This is your e-mail address already"
