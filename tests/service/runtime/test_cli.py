"""The command line as a person meets it: help, mistakes, exit codes."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from runtime.cli import app
from runtime.commands.dead_letters import Consumer
from runtime.commands.serve import Server
from runtime.data_directory import open_data_directory
from runtime.services import SERVICES
from runtime.trouble import EXIT_CODES, ExitCode

_OURS = ("LENDERY_", "DATABASE_URL", "AMQP_URL", "REDIS_URL")


def lendery(*arguments: str, environment: Mapping[str, str]) -> Result:
    """Run a command with nothing of Lendery's in the environment but `environment`."""
    cleared: dict[str, str | None] = {name: None for name in os.environ if name.startswith(_OURS)}
    return CliRunner().invoke(app, arguments, env={**cleared, **environment})


def lendery_process(*arguments: str, environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """The same in a process of its own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return subprocess.run(
        [sys.executable, "-m", "runtime", *arguments],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def data(tmp_path: Path) -> dict[str, str]:
    """An environment with a data directory of its own."""
    return {"LENDERY_DATA_DIR": str(tmp_path / "data"), "LENDERY_PORT": "0"}


def test_help_names_every_command_and_exit_code() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "120"})
    assert shown.exit_code == 0
    for command in ("up", "serve", "migrate", "dead-letters", "version"):
        assert command in shown.output
    for meaning in EXIT_CODES.values():
        assert meaning in shown.output


@pytest.mark.parametrize(
    "command",
    [["up"], ["serve"], ["migrate"], ["version"], *(["dead-letters", verb] for verb in ("list", "replay", "discard"))],
)
def test_every_command_has_help(command: list[str]) -> None:
    shown = CliRunner().invoke(app, [*command, "--help"])
    assert shown.exit_code == 0
    assert "Usage" in shown.output


def test_help_loads_no_framework() -> None:
    check = (
        "import sys, runtime.cli; "
        "print(sorted({'fastapi', 'sqlalchemy', 'asyncpg', 'pydantic', 'alembic', 'aiohttp'} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout
    assert loaded == "[]\n"


def test_the_names_on_the_command_line_are_those_of_the_services() -> None:
    assert {server.value for server in Server} == {"gateway", *(entry.command_name for entry in SERVICES)}
    assert {consumer.value for consumer in Consumer} == {entry.command_name for entry in SERVICES if entry.worker}


def test_output_that_is_no_terminal_has_no_colours(data: dict[str, str]) -> None:
    for arguments in (["--help"], ["dead-letters", "list"]):
        ended = lendery_process(*arguments, environment=data)
        assert "\x1b" not in ended.stdout + ended.stderr


def test_version() -> None:
    ended = lendery("version", environment={})
    assert ended.exit_code == ExitCode.OK
    assert ended.stdout.startswith("lendery ")
    assert ended.stderr == ""


def test_wrong_variables_are_named_without_their_values(data: dict[str, str]) -> None:
    ended = lendery("up", environment={**data, "LENDERY_PORT": "secret-value", "LENDERY_SIMULATION": "maybe"})
    assert ended.exit_code == ExitCode.USAGE
    assert "LENDERY_PORT" in ended.stderr
    assert "LENDERY_SIMULATION" in ended.stderr
    assert "secret-value" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_up_refuses_production(data: dict[str, str]) -> None:
    ended = lendery("up", environment={**data, "LENDERY_ENV": "production", "LENDERY_PUBLIC_URL": "https://lendery.example.org"})
    assert ended.exit_code == ExitCode.USAGE
    assert not Path(data["LENDERY_DATA_DIR"]).exists()


def test_up_says_which_port_is_taken_before_it_starts_anything(data: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = lendery("up", environment={**data, "LENDERY_PORT": port})
    assert ended.exit_code == ExitCode.PORT_TAKEN
    assert port in ended.stderr
    assert not (Path(data["LENDERY_DATA_DIR"]) / "postgres").exists()


def test_up_says_who_uses_the_data_directory(data: dict[str, str]) -> None:
    with open_data_directory(Path(data["LENDERY_DATA_DIR"])).locked():
        ended = lendery("up", environment=data)
    assert ended.exit_code == ExitCode.DATA_DIRECTORY_IN_USE
    assert str(os.getpid()) in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (["serve", "auth"], "DATABASE_URL"),
        (["serve", "sandbox", "--role", "worker"], "no worker"),
        (["serve", "nothing"], "nothing"),
        (["serve", "auth", "--port", "70000"], "--port"),
    ],
)
def test_serve_says_what_is_missing(arguments: list[str], needed: str) -> None:
    ended = lendery(*arguments, environment={})
    assert ended.exit_code == ExitCode.USAGE
    assert needed in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_worker_needs_a_broker() -> None:
    ended = lendery("serve", "auth", environment={"DATABASE_URL": "postgresql://127.0.0.1:1/nowhere"})
    assert ended.exit_code == ExitCode.USAGE
    assert "AMQP_URL" in ended.stderr


def test_a_server_that_is_away_is_told_without_its_password() -> None:
    started_at = time.monotonic()
    ended = lendery("dead-letters", "list", environment={"DATABASE_URL": "postgresql://me:hidden@127.0.0.1:1/nowhere"})
    assert ended.exit_code == ExitCode.SERVER_UNREACHABLE
    assert "hidden" not in ended.stderr
    assert "127.0.0.1:1/nowhere" in ended.stderr
    assert time.monotonic() - started_at < 20


def test_a_wrong_data_directory_is_not_filled_by_a_command_that_only_looks(data: dict[str, str]) -> None:
    ended = lendery("dead-letters", "list", environment=data)
    assert ended.exit_code == ExitCode.USAGE
    assert data["LENDERY_DATA_DIR"] in ended.stderr.replace("\n", "")
    assert not Path(data["LENDERY_DATA_DIR"]).exists()


def test_migrate_makes_the_local_database_and_may_run_again(data: dict[str, str]) -> None:
    first = lendery_process("migrate", environment=data)
    assert first.returncode == ExitCode.OK, first.stderr
    assert "applied auth_0" in first.stdout
    second = lendery("migrate", environment=data)
    assert second.exit_code == ExitCode.OK
    assert second.stdout == "The database is up to date.\n"
    listed = lendery("dead-letters", "list", environment=data)
    assert (listed.exit_code, listed.stdout) == (ExitCode.OK, "No message is dead.\n")


def test_dead_letters_want_numbers_or_all(data: dict[str, str]) -> None:
    for arguments in (["replay", "--service", "auth"], ["discard", "--service", "auth", "1", "--all", "--yes"]):
        ended = lendery("dead-letters", *arguments, environment=data)
        assert ended.exit_code == ExitCode.USAGE
        assert "--all" in ended.stderr
