"""What notifications reads from the environment."""

from email.headerregistry import Address
from email.utils import getaddresses, parseaddr

from pydantic import Field, SecretStr, field_validator, model_validator

from services.notifications.domain.letter import is_address
from services.notifications.providers.africastalking.account import Account
from services.notifications.providers.smtp.server import SmtpServer
from shared.settings import CommonSettings

_LOCAL_SENDER = "Lendery <no-reply@lendery.test>"
_LOCAL_SERVER = "smtp://127.0.0.1:1025"


class Settings(CommonSettings):
    """The common settings, the mail server and the sender of the platform's e-mails.

    `smtp_url` is `smtp://user:password@host:port` or `smtps://…`; `?starttls=required|offered|never` says what to do
    about TLS on `smtp://` (default: required, except for a server on this machine). `mail_from` is the sender, with or
    without a name. `smtp_connections` bounds how many e-mails are sent at once.
    `sms_url` is who sends text messages, `africastalking://username:api_key@api.africastalking.com?from=SENDER`; without it
    the local mailbox shows them, and production sends none.
    """

    smtp_url: SecretStr = SecretStr(_LOCAL_SERVER)
    smtp_timeout_seconds: float = Field(15.0, gt=0, le=60)
    smtp_connections: int = Field(4, ge=1, le=50)
    mail_from: str = _LOCAL_SENDER
    sms_url: SecretStr | None = None
    sms_timeout_seconds: float = Field(15.0, gt=0, le=60)
    encryption_keys: SecretStr | None = None

    @field_validator("smtp_url")
    @classmethod
    def _readable(cls, value: SecretStr) -> SecretStr:
        SmtpServer.parse(value.get_secret_value())
        return value

    @field_validator("sms_url")
    @classmethod
    def _readable_too(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and value.get_secret_value():
            Account.parse(value.get_secret_value())
        return value

    @field_validator("mail_from")
    @classmethod
    def _one_sender(cls, value: str) -> str:
        found = getaddresses([value])
        if len(found) != 1 or not is_address(found[0][1]) or not value.isprintable():
            raise ValueError("LENDERY_MAIL_FROM must be one address, such as Lendery <no-reply@example.org>")
        return value

    @model_validator(mode="after")
    def _name_the_mail_server_in_production(self) -> "Settings":
        if self.production and self.smtp_url.get_secret_value() == _LOCAL_SERVER:
            raise ValueError("LENDERY_SMTP_URL is needed when LENDERY_ENV=production")
        if self.production and self.mail_from == _LOCAL_SENDER:
            raise ValueError("LENDERY_MAIL_FROM is needed when LENDERY_ENV=production")
        return self

    @property
    def sender(self) -> Address:
        """The `From` of every e-mail."""
        name, address = parseaddr(self.mail_from)
        return Address(name, addr_spec=address)

    @property
    def smtp_server(self) -> SmtpServer:
        """The mail server, password included: never log it."""
        return SmtpServer.parse(self.smtp_url.get_secret_value())

    @property
    def sms_account(self) -> Account | None:
        """The provider of text messages, key included: never log it."""
        url = self.sms_url.get_secret_value() if self.sms_url else ""
        return Account.parse(url) if url else None
