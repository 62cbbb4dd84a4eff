"""`lendery migrate`."""


def migrate() -> None:
    """Bring the database to the present shape.

    Uses DATABASE_URL, whose login must be allowed to create schemas and roles; without it, the local database. Safe to
    run again, and from several places at once.
    """
    import asyncio

    from runtime.console import out, progress
    from runtime.database import apply_migrations, database_url

    patience_seconds = 30  # a server that is started beside us, as in a compose file, needs a moment
    with progress() as say, database_url(say, create=True) as url:
        applied = asyncio.run(apply_migrations(url, say, patience_seconds=patience_seconds))
    console = out()
    for revision in applied:
        console.print(f"applied {revision}", markup=False)
    console.print("The database is up to date.")
