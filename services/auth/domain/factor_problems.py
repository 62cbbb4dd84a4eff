"""What can go wrong with second factors, codes and passkeys."""

from shared.problems import NotFound, Problem, RateLimited, Unauthenticated


class CodeInvalid(Unauthenticated):
    """The code is wrong, too old, or was used before: which of these is never said."""

    code = "code_invalid"
    title = "The code is wrong or does not work any more"


class MfaTokenInvalid(Unauthenticated):
    """The login that this second step belongs to is unknown, too old, or was finished."""

    code = "mfa_token_invalid"
    title = "This login cannot be finished; begin again"


class TooManyCodes(RateLimited):
    """Too many codes were sent to this account, to this number or for this address."""

    code = "too_many_codes"
    title = "Too many codes were sent; wait a moment"


class FactorNotAvailable(Problem):
    """The account has no second factor of this kind, or this step takes another one."""

    status = 422
    code = "factor_not_available"
    title = "This second factor cannot be used here"


class FactorNotFound(NotFound):
    """The caller has no second factor of this kind."""

    code = "factor_not_found"
    title = "You have no such second factor"


class FactorExists(Problem):
    """A second factor of this kind is in use."""

    status = 409
    code = "factor_exists"
    title = "You have this second factor already"


class SetupExpired(Problem):
    """The second factor was never begun, or too long ago."""

    status = 409
    code = "factor_setup_expired"
    title = "Begin to set this second factor up again"


class SmsUnavailable(Problem):
    """This platform sends no SMS."""

    status = 409
    code = "sms_unavailable"
    title = "SMS is not available here"


class PhoneMissing(Problem):
    """There is no phone number to send a code to."""

    status = 409
    code = "phone_missing"
    title = "Give a phone number first"


class PasskeyNotFound(NotFound):
    """The caller has no such passkey."""

    code = "passkey_not_found"
    title = "You have no such passkey"


class PasskeyExists(Problem):
    """The device's key is registered, for this account or another."""

    status = 409
    code = "passkey_exists"
    title = "This passkey is registered already"


class TooManyPasskeys(Problem):
    """The account has as many passkeys as one can have."""

    status = 409
    code = "too_many_passkeys"
    title = "Remove a passkey first"


class PasskeyRefused(Unauthenticated):
    """The passkey is unknown, its answer is not right, or what it signed was not asked or was asked too long ago."""

    code = "passkey_refused"
    title = "This passkey does not open the account"


class PasskeyInvalid(Problem):
    """What the device answered to a registration cannot be accepted."""

    status = 422
    code = "passkey_invalid"
    title = "This passkey cannot be registered"


class FactorResetNotFound(NotFound):
    """There is no such request to reset second factors, or the caller's account has none that is open."""

    code = "factor_reset_not_found"
    title = "There is no such reset of second factors"


class FactorResetRefused(Problem):
    """The second factors of this account cannot be reset by operators: it needs no reset, or its owner could not be told."""

    status = 409
    code = "factor_reset_refused"
    title = "The second factors of this account cannot be reset"


class FactorResetOpen(Problem):
    """A reset was asked for before and has not ended."""

    status = 409
    code = "factor_reset_open"
    title = "A reset was asked for already"


class FactorResetEnded(Problem):
    """The reset was done, declined or stopped, has expired, or is void."""

    status = 409
    code = "factor_reset_ended"
    title = "This reset has ended"
