"""`lendery openapi`."""

from pathlib import Path
from typing import Annotated

import typer

Output = Annotated[Path | None, typer.Option("--output", "-o", help="A file.", show_default="standard output")]


def openapi(output: Output = None) -> None:
    """Write the OpenAPI document of the public API, as the gateway serves it at /openapi.json.

    Needs no database and no running platform.
    """
    import json
    import logging

    from runtime.documents import openapi_document
    from runtime.trouble import ExitCode, Trouble

    logging.basicConfig(level=logging.WARNING)
    text = json.dumps(openapi_document(), indent=2, ensure_ascii=False)
    if output is None:
        typer.echo(text)
    else:
        try:
            output.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise Trouble(ExitCode.USAGE, f"{output} cannot be written: {error.strerror}.") from error
