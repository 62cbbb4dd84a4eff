"""What the sandbox provider refuses."""

from shared.problems import Problem


class UnknownReference(Problem):
    """Nothing was ordered under this reference."""

    status = 404
    code = "unknown_reference"
    title = "There is no order with this reference"


class ReferenceTaken(Problem):
    """The reference was used before, for something else."""

    status = 409
    code = "reference_taken"
    title = "This reference was used for something else"


class WrongSecret(Problem):
    """The caller does not know the secret."""

    status = 401
    code = "wrong_sandbox_secret"
    title = "Send the shared secret as a bearer token"


class CheckoutNotFound(Problem):
    """There is no payment at this address."""

    status = 404
    code = "checkout_not_found"
    title = "There is no payment at this address"


class WrongCursor(Problem):
    """The cursor is not one that the report gave."""

    status = 400
    code = "wrong_cursor"
    title = "This is not a cursor of the report"
