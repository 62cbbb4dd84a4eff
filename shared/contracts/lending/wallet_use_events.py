"""Which wallets lending counts on."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from shared.messaging.envelope import Event


class WalletUseChanged(Event):
    """A loan or an investment counts on a wallet from now on, or has ended, however it did, and no longer does.

    Whoever is told twice has been told the same; told again later it is what is true then.
    """

    type: ClassVar[str] = "lending.wallet_use.changed"

    reference: str = Field(description="What counts on the wallet: loan:{id}, investment:{id}, ticket:{id}")
    user_id: UUID = Field(description="Whose wallet it is")
    wallet_id: UUID
    currency: str
    in_use: bool = Field(description="false: it has ended, and the wallet may be closed for all of it")
    loan_id: UUID | None = Field(None, description="The loan that it is, or is a part of")
