"""What the edge itself has to say to a client."""

from shared.problems import Problem


class PathInvalid(Problem):
    """The address can be read in more than one way, so it is refused rather than guessed."""

    status = 400
    code = "path_invalid"
    title = "The address is not written in its plain form"


class HeaderRepeated(Problem):
    """A header that may come once came more often: two readers could choose different ones."""

    status = 400
    code = "header_repeated"
    title = "A header was sent more than once"


class BodyTooLarge(Problem):
    """The body is larger than this address takes."""

    status = 413
    code = "body_too_large"
    title = "The request body is too large"


class AddressTooLong(Problem):
    """Path and query together are longer than the gateway takes."""

    status = 414
    code = "address_too_long"
    title = "The address is too long"


class Overloaded(Problem):
    """As many requests as this gateway can take are being answered already."""

    status = 503
    code = "overloaded"
    title = "The platform has too much to do right now"


class BadGateway(Problem):
    """A service broke off in the middle of its answer, or answered something that is not HTTP."""

    status = 502
    code = "bad_gateway"
    title = "Part of the platform failed while answering"


class GatewayTimeout(Problem):
    """A service took longer than this address allows."""

    status = 504
    code = "gateway_timeout"
    title = "Part of the platform took too long to answer"
