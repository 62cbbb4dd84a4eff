"""`lendery users`: what can be done about accounts on the host only."""

from enum import StrEnum
from typing import Annotated

import typer

app = typer.Typer(
    help="What can be done about accounts on the host only.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@app.callback()
def users() -> None:
    """Keep `grant` a command of its own, however few there are."""


class OperatorRole(StrEnum):
    """Roles that two administrators give together, once there are two."""

    SUPPORT = "support"
    ADMIN = "admin"


@app.command()
def grant(
    email: Annotated[str, typer.Argument(help="The address of an account that exists.", show_default=False)],
    role: Annotated[OperatorRole, typer.Argument(help="The role to add.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why, for the audit log.", show_default=False)],
) -> None:
    """Give an account a role of operators.

    Where there are two administrators, one asks and the other approves (`/v1/admin/role-grants`); this is how the second
    one is made. The audit log says that it was done here. Uses DATABASE_URL; without it, the local database.
    """
    from runtime.commands.keys import with_auth
    from runtime.console import out
    from runtime.trouble import ExitCode, Trouble
    from services.auth.commands.grant_roles_on_host import grant_roles_on_host
    from services.auth.domain.problems import AccountClosed, UserNotFound

    address = email.strip().lower()
    try:
        user = with_auth(lambda context: grant_roles_on_host(context, address, (role.value,), reason))
    except (UserNotFound, AccountClosed) as problem:
        raise Trouble(ExitCode.USAGE, problem.title, hint=problem.detail) from None
    out().print(f"{user.email} has the roles {', '.join(user.roles)} now, in tokens from their next refresh on", soft_wrap=True)
