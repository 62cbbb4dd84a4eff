"""`lendery`: the commands, and how each of them ends when something goes wrong."""

from inspect import cleandoc
from typing import Any

import typer
from typer.core import TyperGroup

from runtime.commands import (
    dead_letters,
    demo,
    keys,
    migrate,
    openapi,
    rotate_pii,
    serve,
    tell_wallet_uses,
    up,
    users,
    verify,
    version,
)
from runtime.trouble import EXIT_CODES, Trouble

_EXIT_CODES = "\n".join(f"{code.value:>3}  {meaning}" for code, meaning in EXIT_CODES.items())


class _TellsTrouble(TyperGroup):
    """A `Trouble` ends the program with its message and exit code instead of a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command."""
        try:
            return super().invoke(ctx)
        except Trouble as trouble:
            from runtime.console import tell

            tell(trouble)
            raise typer.Exit(int(trouble.exit_code)) from None


app = typer.Typer(
    name="lendery",
    cls=_TellsTrouble,
    help="Lendery, the lending platform: run it, move its database, check its ledger.",
    epilog=f"Exit codes:\n{_EXIT_CODES}",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _flowing(docstring: str) -> str:
    """Each paragraph on one line, for the terminal to wrap: typer would keep the source's line breaks."""
    return "\n\n".join(paragraph.replace("\n", " ") for paragraph in cleandoc(docstring).split("\n\n"))


for _command in (up.up, serve.serve, migrate.migrate, demo.demo, verify.verify, openapi.openapi, version.version):
    app.command(help=_flowing(_command.__doc__ or ""))(_command)
app.command("tell-wallet-uses", help=_flowing(tell_wallet_uses.tell_wallet_uses.__doc__ or ""))(tell_wallet_uses.tell_wallet_uses)
app.add_typer(dead_letters.app, name="dead-letters")
keys.app.command("rotate-pii", help=_flowing(rotate_pii.rotate_pii.__doc__ or ""))(rotate_pii.rotate_pii)
app.add_typer(keys.app, name="keys")
app.add_typer(users.app, name="users")
