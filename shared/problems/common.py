"""Problems that every service has."""

from shared.problems.problem import Problem


class InvalidRequest(Problem):
    """The request is well formed but a field in it is not acceptable."""

    status = 422
    code = "validation_error"
    title = "The request has fields that are missing or wrong"


class MalformedBody(Problem):
    """The body cannot be read at all."""

    status = 400
    code = "malformed_body"
    title = "The request body cannot be read"


class Unauthenticated(Problem):
    """No valid access token came with the request."""

    status = 401
    code = "unauthenticated"
    title = "Log in first"


class Forbidden(Problem):
    """The caller is known, but lacks a role or scope."""

    status = 403
    code = "forbidden"
    title = "Your account may not do this"


class EmailUnverified(Problem):
    """The address of the account has not been confirmed yet."""

    status = 403
    code = "email_unverified"
    title = "Confirm your e-mail address first"


class CsrfFailed(Problem):
    """The request came with a browser's cookies, and nothing shows that a page of ours sent it."""

    status = 403
    code = "csrf_failed"
    title = "This request did not come from a page of ours"


class NotFound(Problem):
    """There is no such thing, or it belongs to somebody else."""

    status = 404
    code = "not_found"
    title = "There is nothing here"


class MethodNotAllowed(Problem):
    """The path exists, but not for this HTTP method."""

    status = 405
    code = "method_not_allowed"
    title = "This address does not take that method"


class RateLimited(Problem):
    """Too many requests in a short time."""

    status = 429
    code = "rate_limited"
    title = "Too many requests; wait a moment"


class ServiceUnavailable(Problem):
    """A part of the platform cannot be reached right now; trying again later is safe."""

    status = 503
    code = "service_unavailable"
    title = "Part of the platform is not available right now"
