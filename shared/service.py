"""What a service is to the process that runs it, and what the process gives the service."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Literal

from fastapi import FastAPI

from shared.clock import Clock, SystemClock
from shared.db.database import Database, role_of
from shared.identity.jwks import TokenVerifier
from shared.identity.tokens import TokenRules
from shared.jobs import Job
from shared.messaging.consumer import ConsumerTable
from shared.messaging.relay import MessageSource
from shared.settings import CommonSettings

Part = Literal["api", "worker", "all"]


@dataclass(frozen=True)
class Platform:
    """What every service of a process shares."""

    clock: Clock
    token_verifier: TokenVerifier

    @classmethod
    def of(cls, settings: CommonSettings, clock: Clock | None = None) -> "Platform":
        """The platform that `settings` describe."""
        rules = TokenRules(issuer=settings.token_issuer, audience=settings.token_audience)
        return cls(clock or SystemClock(), TokenVerifier(settings.jwks_url, rules))


def open_database(settings: CommonSettings, schema: str) -> Database:
    """The database of the service that owns `schema`."""
    return Database(
        settings.database_url.get_secret_value(),
        schema=schema,
        role=role_of(schema, settings.db_role_prefix),
        pool_size=settings.db_pool_size,
    )


@dataclass
class Service:
    """One service, wired but not running.

    `app` answers HTTP. `consumers` and `jobs` are the worker's part, together with the outbox relay of `database` and one for
    each of `message_sources`, of which every relay makes its own;
    `handlers_at_once` bounds the consumers' handlers: a few more than the pool has connections, if each holds one.
    `resources` is entered before either part starts and left after both have stopped: pools, clients, the poster.
    """

    name: str
    app: FastAPI
    database: Database
    context: Any
    consumers: ConsumerTable = field(default_factory=dict)
    jobs: Sequence[Job] = ()
    handlers_at_once: int = 16
    message_sources: Sequence[Callable[[], MessageSource]] = ()
    resources: Callable[[], AbstractAsyncContextManager[None]] | None = None
