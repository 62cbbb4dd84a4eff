"""What the public description says about who may call: the ways to show who one is, and which of them a route takes. Pure."""

from typing import Any

from gateway.routing import Route
from shared.identity.cookies import CSRF_HEADER, MODE_HEADER, cookie_names
from shared.identity.scopes import SCOPES

Json = dict[str, Any]

_SAFE_METHODS = frozenset({"get", "head", "options"})


def security_schemes(server_url: str) -> Json:
    """The ways to show who is calling the platform at `server_url`."""
    names = cookie_names(server_url)
    return {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "For apps: the `access_token` of `POST /v1/auth/login`, good for 15 minutes at most.",
        },
        "cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": names.access,
            "description": (
                f"For browsers: the cookie that a login with `{MODE_HEADER}: cookie` sets. Scripts cannot read it. "
                "Whatever is not a GET needs `csrf` beside it."
            ),
        },
        "csrf": {
            "type": "apiKey",
            "in": "header",
            "name": CSRF_HEADER,
            "description": (
                f"With `cookie`: the `csrf_token` of the login's answer, which is also in the cookie `{names.csrf}`. It shows "
                "that a page of ours sent the request. It means nothing by itself, and nothing beside a bearer token."
            ),
        },
        "client": {
            "type": "oauth2",
            "description": "For programs of partners: made with `POST /v1/api-clients`, they act for whoever made them.",
            "flows": {"clientCredentials": {"tokenUrl": f"{server_url}/v1/auth/token", "scopes": dict(SCOPES)}},
        },
    }


def access(route: Route, method: str) -> Json:
    """What an operation of the document says about who may call it; `method` in lower case."""
    if route.public:
        return {"security": []}
    cookie: Json = {"cookie": []} if method in _SAFE_METHODS else {"cookie": [], "csrf": []}
    security: list[Json] = [{"bearer": []}, cookie]
    described: Json = {"security": security}
    if route.roles:
        described["x-roles"] = sorted(route.roles)
    if route.scope:
        security.append({"client": [route.scope]})
        described["x-scope"] = route.scope
    return described
