"""`lendery up`."""

import gc
import time
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    from runtime.data_directory import DataDirectory
    from runtime.trouble import Trouble

DemoData = Annotated[bool, typer.Option(help="Make three demo logins at the first start.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print the logs to the terminal, too.")]


def up(demo_data: DemoData = True, verbose: Verbose = False) -> None:
    """Run the whole platform in this process, until Ctrl-C.

    Needs nothing installed beforehand: PostgreSQL comes along, messages pass directly, e-mail is caught at /mailbox.
    The data stays for the next time.

    DATABASE_URL, AMQP_URL, REDIS_URL and LENDERY_SMTP_URL replace each part by a real server.

    LENDERY_PORT (default 8000) and LENDERY_DATA_DIR (default ~/.local/share/lendery) choose port and place.
    """
    from runtime.console import err
    from runtime.signals import Stopped, stoppable

    started_at = time.perf_counter()
    console = err()
    try:
        with stoppable():
            _run(started_at, demo_data=demo_data, verbose=verbose)
    except Stopped:
        console.print("Stopped. The data stays.")


def _run(started_at: float, *, demo_data: bool, verbose: bool) -> None:
    from contextlib import ExitStack

    from runtime.console import err, progress
    from runtime.data_directory import open_data_directory
    from runtime.settings import read_settings
    from runtime.trouble import ExitCode, Trouble

    settings = read_settings()
    if settings.production:
        raise Trouble(
            ExitCode.USAGE,
            "`lendery up` is for one machine and refuses LENDERY_ENV=production.",
            hint="Run each part with `lendery serve`, or unset LENDERY_ENV.",
        )
    with progress() as say, ExitStack() as stack:
        data = open_data_directory()
        stack.enter_context(data.locked())
        say("Loading")
        gc.disable()  # until `settle_memory`
        from runtime.http_server import bind
        from runtime.logs import log_to_file
        from runtime.platform import RunningPlatform, run_platform
        from runtime.signals import run_until_stopped

        listener = stack.enter_context(bind(settings.host, settings.port))
        log_to_file(data.log, level=settings.log_level, also_to_terminal=verbose)
        url, trouble = _open_database(stack, data, say)

        async def ready(running: RunningPlatform) -> None:
            from runtime.demo_data import demo_logins
            from runtime.welcome import welcome

            logins = await demo_logins(running, say) if demo_data else []
            say.end()
            welcome(running, data, logins, time.perf_counter() - started_at)

        main = run_platform(listener, data, url, say=say, ready=ready, database_trouble=trouble)
        run_until_stopped(main, stopping=lambda: err().print("Stopping …"))


def _open_database(
    stack: "ExitStack", data: "DataDirectory", say: "Callable[[str], None]"
) -> "tuple[str, Callable[[], Trouble | None]]":
    """The address of the database, and a function that tells when it has ended."""
    from runtime.database import given_url

    given = given_url()
    if given is not None:
        return given, lambda: None
    from runtime.postgres import embedded_server

    say("Starting PostgreSQL")
    server = stack.enter_context(embedded_server(data.postgres, say))
    return server.url, server.stopped_by_itself
