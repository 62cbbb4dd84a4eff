"""Which OpenID providers people can sign on with: data, from the environment."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

_PRESETS = {"google": ("https://accounts.google.com", "Google")}


class OpenIdSettings(BaseModel):
    """One provider. Everything else about it comes from its discovery document. `google` needs no `issuer`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,31}$", description="Part of the callback address that the provider knows")
    issuer: str = ""
    label: str = Field("", max_length=60, description="What people call it")
    client_id: str = Field(min_length=1)
    client_secret: SecretStr
    scopes: str = "openid email profile"
    trusts_second_factor: bool = Field(
        False, description="Whether a second factor given there (`mfa` in the ID token's `amr`) spares the one here at a login"
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_in_preset(cls, data: object) -> object:
        if isinstance(data, dict) and (preset := _PRESETS.get(str(data.get("name")))):
            return {"issuer": preset[0], "label": preset[1]} | data
        return data

    @model_validator(mode="after")
    def _check(self) -> "OpenIdSettings":
        if not is_protected(self.issuer):
            raise ValueError(f"the issuer of {self.name} must be an https address")
        if "openid" not in self.scopes.split():
            raise ValueError(f"the scopes of {self.name} must have openid among them")
        return self

    @property
    def shown_as(self) -> str:
        """What people call it."""
        return self.label or self.name.title()


def is_protected(url: str) -> bool:
    """Whether nobody between us and `url` can listen: it is https, or on this very machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url)))


def is_loopback(url: str) -> bool:
    """Whether `url` is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
