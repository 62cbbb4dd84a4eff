"""What `lendery up` prints when everything is ready."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from sqlalchemy.engine import make_url

from runtime.console import err, print_columns
from runtime.data_directory import DataDirectory
from runtime.platform import RunningPlatform
from shared.settings import CommonSettings


@dataclass(frozen=True)
class Login:
    """Somebody whom a visitor can log in as."""

    role: str
    email: str
    password: str


def welcome(running: RunningPlatform, data: DataDirectory, logins: Sequence[Login], seconds: float) -> None:
    """Print the addresses and the demo logins."""
    console = err()
    console.print()
    console.print(Text("Lendery is ready", style="bold green") + Text(f" after {seconds:.1f} seconds", style="dim"))
    console.print()
    print_columns(console, _addresses(running, data))
    if logins:
        console.print()
        print_columns(
            console, [("Demo login", "E-mail address", "Password"), *((one.role, one.email, one.password) for one in logins)]
        )
    console.print()
    console.print("Ctrl-C stops everything; the data stays.", style="dim")


def _addresses(running: RunningPlatform, data: DataDirectory) -> list[tuple[str, str]]:
    public_url = running.settings.public_url
    return [
        ("Address", ""),
        ("API", public_url),
        ("Documentation", f"{public_url}/docs"),
        ("E-mail", f"{public_url}/mailbox" if running.catches_mail else "sent by LENDERY_SMTP_URL"),
        ("Database", _server(running.settings.database_url.get_secret_value())),
        ("Messages", _broker(running.settings)),
        ("Data", str(data.path)),
        ("Log", str(data.log)),
    ]


def _server(url: str) -> str:
    parsed = make_url(url)
    return f"PostgreSQL at {parsed.host}:{parsed.port or 5432}, database {parsed.database}"


def _broker(settings: CommonSettings) -> str:
    if settings.amqp_url is None:
        return "passed within this process"
    parsed = make_url(settings.amqp_url.get_secret_value())
    return f"RabbitMQ at {parsed.host}:{parsed.port or 5672}"
