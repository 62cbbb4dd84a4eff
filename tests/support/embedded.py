"""The embedded PostgreSQL as a test server, in a directory of its own that is removed afterwards."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def embedded_server() -> Iterator[str]:
    """Start it; gives the URL of its maintenance database, as a superuser."""
    from runtime.postgres import embedded_server as start

    with tempfile.TemporaryDirectory(prefix="lendery-test-") as home:
        Path(home).chmod(0o755)
        with start(Path(home) / "postgres") as server:
            yield server.url
