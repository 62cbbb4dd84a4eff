"""Problems of a request as it arrives, before anybody looks at what it asks for."""

from shared.problems.problem import Problem


class MalformedRequest(Problem):
    """What was sent is not HTTP, or can be read in more than one way."""

    status = 400
    code = "malformed_request"
    title = "The request is not well-formed HTTP"


class RequestTimeout(Problem):
    """The client stopped sending in the middle of its request."""

    status = 408
    code = "request_timeout"
    title = "The request did not arrive in time"


class HeadersTooLarge(Problem):
    """Address and headers together are more than is taken."""

    status = 431
    code = "headers_too_large"
    title = "The headers of the request are too large"
