"""Three demo logins, made at the first start through the public API as anybody would make them.

Safe to run at every start: it looks at what is there and does what is missing.
"""

import logging
from collections.abc import Callable

import httpx

from runtime.demo.client import Person, Refused
from runtime.platform import RunningPlatform
from runtime.welcome import Login

_log = logging.getLogger(__name__)

BORROWER = Login("Borrower", "borrower@lendery.test", "borrower-local-only")
LENDER = Login("Lender", "lender@lendery.test", "lender-local-only")
_ADMIN_EMAIL = "admin@lendery.test"
_NAMES = {BORROWER.email: "Amina Demo", LENDER.email: "Daudi Demo"}
_DOCUMENTS = {BORROWER.email: "DEMO-0001", LENDER.email: "DEMO-0002"}
_LENDERS_MONEY_MINOR = 10_000_000


async def demo_logins(running: RunningPlatform, say: Callable[[str], None]) -> list[Login]:
    """The logins that work, made as far as they were missing. A platform without them is still a platform."""
    admin = Login("Administrator", _ADMIN_EMAIL, running.settings.admin_password.get_secret_value())
    usable = []
    async with httpx.AsyncClient(base_url=running.gateway_url, timeout=30, trust_env=False) as http:
        for login in (BORROWER, LENDER):
            try:
                if await _complete(http, login, admin, running, say):
                    usable.append(login)
            except (httpx.HTTPError, Refused, TimeoutError) as error:
                _log.warning("a demo login is incomplete", extra={"role": login.role, "error": str(error)})
    return [*usable, admin]


async def _complete(
    http: httpx.AsyncClient, login: Login, admin: Login, running: RunningPlatform, say: Callable[[str], None]
) -> bool:
    """Make one login as complete as it should be; False when somebody has changed its password."""
    person = Person(http, login.email, login.password, _NAMES[login.email])
    if not await _let_in(person):
        say(f"Making the demo login {login.email}")
        await person.register()
        if not await _let_in(person):
            return False
    me = await person.call("GET", "/v1/me")
    if not me["email_verified"]:
        await person.confirm_email()
    if me["kyc_status"] in ("unsubmitted", "pending"):
        await _identify(http, person, admin)
    if login is LENDER:
        await _fund(person, running)
    await person.call("POST", "/v1/auth/logout")
    return True


async def _let_in(person: Person) -> bool:
    try:
        await person.log_in()
    except Refused:
        return False
    return True


async def _identify(http: httpx.AsyncClient, person: Person, admin: Login) -> None:
    """Hand in identity details and have them approved."""
    kyc = await person.call("GET", "/v1/kyc")
    if kyc["status"] == "unsubmitted":
        await person.hand_in_kyc(_DOCUMENTS[person.email])
        kyc = await person.call("GET", "/v1/kyc")
    if kyc["status"] == "pending":
        operator = Person(http, admin.email, admin.password, "Administrator")
        await operator.log_in()
        await operator.call("POST", f"/v1/admin/kyc/{kyc['id']}/approve")
        await operator.call("POST", "/v1/auth/logout")


async def _fund(person: Person, running: RunningPlatform) -> None:
    """Give the lender something to lend, once."""
    deposits = await person.call("GET", "/v1/deposits")
    if not deposits["items"]:
        await person.deposit(_LENDERS_MONEY_MINOR, running.settings.home_currency)
