"""Scripts in pgbench's language, run by pgbench or, where there is none, by clients on asyncpg in a process of their own.

Of the language only what the scripts of this package need is understood here: `\\set name random(low, high)`, and statements
of one line with `:name` in them.
"""

import asyncio
import os
import random
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg
import uvloop

from bench import children
from bench.closed_loop import Measured, Timing, closed_loop

SCALE = 10
TPCB_LIKE = f"""\\set aid random(1, {100_000 * SCALE})
\\set bid random(1, {SCALE})
\\set tid random(1, {10 * SCALE})
\\set delta random(-5000, 5000)
BEGIN;
UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :aid;
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
UPDATE pgbench_tellers SET tbalance = tbalance + :delta WHERE tid = :tid;
UPDATE pgbench_branches SET bbalance = bbalance + :delta WHERE bid = :bid;
INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (:tid, :bid, :aid, :delta, CURRENT_TIMESTAMP);
END;
"""
_TPCB_TABLES = f"""
CREATE TABLE pgbench_branches (bid int NOT NULL, bbalance int, filler char(88)) WITH (fillfactor = 100);
CREATE TABLE pgbench_tellers (tid int NOT NULL, bid int, tbalance int, filler char(84)) WITH (fillfactor = 100);
CREATE TABLE pgbench_accounts (aid int NOT NULL, bid int, abalance int, filler char(84)) WITH (fillfactor = 100);
CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
INSERT INTO pgbench_branches SELECT n, 0 FROM generate_series(1, {SCALE}) AS n;
INSERT INTO pgbench_tellers SELECT n, (n - 1) / 10 + 1, 0 FROM generate_series(1, {10 * SCALE}) AS n;
INSERT INTO pgbench_accounts SELECT n, (n - 1) / 100000 + 1, 0, '' FROM generate_series(1, {100_000 * SCALE}) AS n;
ALTER TABLE pgbench_branches ADD PRIMARY KEY (bid);
ALTER TABLE pgbench_tellers ADD PRIMARY KEY (tid);
ALTER TABLE pgbench_accounts ADD PRIMARY KEY (aid);
ANALYZE;
"""


def find_pgbench() -> str | None:
    """The program: on the PATH, of an installed server, or of the embedded one."""
    if (found := shutil.which("pgbench")) is not None:
        return found
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"), key=lambda path: int(path.parts[-3]))
    if installed:
        return str(installed[-1])
    from runtime.postgres.account import Account
    from runtime.postgres.binaries import find_binaries
    from runtime.trouble import Trouble

    try:
        program = Path(find_binaries(Account(os.geteuid(), os.getegid(), dropped=False)).program("pgbench"))
    except Trouble:
        return None
    return str(program) if program.exists() else None


def prepare_tpcb(pgbench: str | None, url: str) -> None:
    """Make pgbench's tables and rows."""
    if pgbench is None:
        asyncio.run(_execute(url, _TPCB_TABLES))
    else:
        subprocess.run([pgbench, "-i", "-q", "-s", str(SCALE), url], check=True, capture_output=True, text=True)


async def _execute(url: str, script: str) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        await connection.execute(script)
    finally:
        await connection.close()


def run_script(pgbench: str | None, script: str | None, url: str, *, clients: int, timing: Timing) -> Measured:
    """Transactions a second of `script`, or, when it is None, of pgbench's own tpcb-like; prepared statements."""
    if pgbench is None:
        orders = {"script": script or TPCB_LIKE, "url": url, "clients": clients, **vars(timing)}
        return Measured(**children.run("bench.scripts", orders, os.environ, patience_seconds=timing.seconds + 60))
    with tempfile.NamedTemporaryFile("w", suffix=".pgbench") as file:
        file.write(script or "")
        file.flush()
        what = ["-b", "tpcb-like"] if script is None else ["-n", "-f", file.name]
        seconds = max(1, round(timing.seconds + timing.warm_up_seconds))
        threads = min(2, os.cpu_count() or 1)
        command = [pgbench, "-M", "prepared", "-c", str(clients), "-j", str(threads), "-T", str(seconds), *what, url]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rate, latency = re.search(r"tps = ([\d.]+)", said), re.search(r"latency average = ([\d.]+) ms", said)
    assert rate is not None, said
    return Measured(float(rate[1]), float(latency[1]) if latency else 0.0)


async def _clients(script: str, url: str, clients: int, timing: Timing) -> Measured:
    connections = [await asyncpg.connect(url, timeout=10) for _ in range(clients)]
    variables, statements = parse(script)

    def step(connection: asyncpg.Connection) -> Any:
        async def once() -> int:
            values = {name: random.randint(low, high) for name, (low, high) in variables.items()}
            for text, names in statements:
                if names:
                    await connection.fetch(text, *(values[name] for name in names))
                else:
                    await connection.execute(text)
            return 1

        return once

    try:
        return await closed_loop([step(connection) for connection in connections], timing)
    finally:
        for connection in connections:
            connection.terminate()


def parse(script: str) -> tuple[Mapping[str, tuple[int, int]], list[tuple[str, list[str]]]]:
    """The ranges of a script's variables; its statements with numbered parameters, and which variable each one is."""
    variables: dict[str, tuple[int, int]] = {}
    statements: list[tuple[str, list[str]]] = []
    for line in script.splitlines():
        if (found := re.fullmatch(r"\\set (\w+) random\((-?\d+), (-?\d+)\)", line.strip())) is not None:
            variables[found[1]] = (int(found[2]), int(found[3]))
        elif line.strip():
            names = list(dict.fromkeys(re.findall(r"(?<!:):(\w+)", line)))
            text = re.sub(r"(?<!:):(\w+)", lambda match, names=names: f"${names.index(match[1]) + 1}", line)  # type: ignore[misc]
            statements.append((text.strip().rstrip(";"), names))
    return variables, statements


def main() -> None:
    """As a child: be the clients."""
    orders = children.orders()
    timing = Timing(orders["seconds"], orders["warm_up_seconds"])
    children.answer(uvloop.run(_clients(orders["script"], orders["url"], orders["clients"], timing)).as_json())


if __name__ == "__main__":
    main()
