"""How the embedded server is configured: small in memory, never less durable than a production server.

Given on the command line at every start, so that a data directory made by an older release gets today's values.
"""

from collections.abc import Mapping

SUPERUSER = "lendery"
DATABASE = "lendery"

_SETTINGS: dict[str, str] = {
    # Reachable from this machine only, by password only, over TCP only.
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "80",
    # Money: an answered request survives a power cut.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Memory: shared buffers are counted once per machine but show in every backend's resident size.
    "shared_buffers": "16MB",
    "effective_cache_size": "256MB",
    "work_mem": "4MB",
    "maintenance_work_mem": "32MB",
    "huge_pages": "off",
    "io_method": "sync",
    "jit": "off",
    "max_worker_processes": "2",
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    "autovacuum_max_workers": "2",
    # Disk: no replicas follow this server; a crash replays at most this much log.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "min_wal_size": "80MB",
    "max_wal_size": "256MB",
    # Starts, stops and crashes only: errors go to the caller, and their values may be personal data.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "lc_messages": "C",
    "update_process_title": "off",
}


def command_line_options(port: int, settings: Mapping[str, str] | None = None) -> list[str]:
    """The arguments of `postgres` for a server on `port`; `settings` replace some of ours."""
    options = [argument for name, value in {**_SETTINGS, **(settings or {})}.items() for argument in ("-c", f"{name}={value}")]
    return [*options, "-c", f"port={port}"]


def initdb_options() -> list[str]:
    """The arguments of `initdb`: one UTF-8 locale that is the same on every machine, passwords for everybody."""
    return [
        f"--username={SUPERUSER}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
    ]
