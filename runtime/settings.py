"""What the command line reads from the environment."""

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from runtime.trouble import ExitCode, Trouble
from shared.settings import CommonSettings


class RuntimeSettings(CommonSettings):
    """Where to listen, and the bootstrap administrator. `port` 0 takes any free port."""

    model_config = SettingsConfigDict(env_prefix="LENDERY_", frozen=True, extra="ignore", populate_by_name=True)

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    admin_password: SecretStr = SecretStr("admin-local-only")


def read_settings() -> RuntimeSettings:
    """The settings of this process. Raises `Trouble` that names each wrong variable."""
    try:
        return RuntimeSettings()
    except ValidationError as error:
        raise wrong_settings(error) from None


def wrong_settings(error: ValidationError) -> Trouble:
    """What is wrong in the environment, without the values, which may be secret."""
    lines = [f"  {_variable(item['loc'])}{item['msg'].removeprefix('Value error, ')}" for item in error.errors()]
    return Trouble(
        ExitCode.USAGE,
        "\n".join(["The configuration in the environment is not valid:", *lines]),
        hint="Correct these variables and start again.",
    )


def _variable(location: tuple[int | str, ...]) -> str:
    if not location:
        return ""  # a rule over several variables names them itself
    name = str(location[0])
    return f"{name}: " if name.isupper() else f"LENDERY_{name.upper()}: "
