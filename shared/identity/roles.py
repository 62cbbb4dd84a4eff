"""What people and programs can be on the platform. Which calls a role opens is in the gateway's table of routes."""

from collections.abc import Mapping

ROLES: Mapping[str, str] = {
    "user": "A person: saves, sends, borrows, lends. Everybody who registers has it",
    "support": "An operator who reads what people have, and reviews identities",
    "admin": "An operator who also decides: loans, money, accounts, roles, keys",
    "partner": "A program (API client) that acts for a person, and may do no more than its scopes say",
}
