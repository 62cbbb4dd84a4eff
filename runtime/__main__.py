"""`python -m runtime`: the command line where the `lendery` program is not installed."""

from runtime.cli import app

app(prog_name="lendery")
