"""Every way to end is documented, and every failure of the database is told as what it is."""

import errno
from pathlib import Path

import pytest

from runtime.postgres import configuration, programs
from runtime.trouble import EXIT_CODES, ExitCode, from_os_error

PLACE = Path("/somewhere/postgres")


def test_every_exit_code_is_documented() -> None:
    assert set(EXIT_CODES) == set(ExitCode)
    assert all(EXIT_CODES.values())


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, ExitCode.DISK_FULL),
        (errno.EDQUOT, ExitCode.DISK_FULL),
        (errno.EACCES, ExitCode.DATA_DIRECTORY_UNUSABLE),
        (errno.EROFS, ExitCode.DATA_DIRECTORY_UNUSABLE),
        (errno.ENOTDIR, ExitCode.DATA_DIRECTORY_UNUSABLE),
    ],
)
def test_operating_system_errors_name_the_place_and_a_way_out(number: int, code: ExitCode) -> None:
    trouble = from_os_error(OSError(number, "reason"), PLACE)
    assert trouble.exit_code == code
    assert str(PLACE) in trouble.message
    assert "LENDERY_DATA_DIR" in trouble.hint


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ('FATAL:  could not write lock file "postmaster.pid": No space left on device', ExitCode.DISK_FULL),
        ("initdb: error: could not create directory: Disk quota exceeded", ExitCode.DISK_FULL),
        ('FATAL:  could not open file "global/pg_control": Permission denied', ExitCode.DATA_DIRECTORY_UNUSABLE),
        ("PANIC:  could not locate a valid checkpoint record", ExitCode.DATABASE_DAMAGED),
        ("", ExitCode.DATABASE_DAMAGED),
    ],
)
def test_what_postgresql_says_becomes_a_trouble(said: str, code: ExitCode) -> None:
    assert programs.explain(said, PLACE).exit_code == code


def test_damage_is_shown_in_the_servers_own_words() -> None:
    said = "\n".join(f"line {number}" for number in range(1, 21))
    message = programs.explain(said, PLACE).message
    assert "line 20" in message
    assert "line 1\n" not in message


def test_the_embedded_server_is_as_durable_as_any_and_reachable_from_this_machine_only() -> None:
    options = configuration.command_line_options(5555)
    for setting in ("fsync=on", "synchronous_commit=on", "full_page_writes=on", "listen_addresses=127.0.0.1"):
        assert setting in options
    assert options[-1] == "port=5555"
    assert "--auth=scram-sha-256" in configuration.initdb_options()
