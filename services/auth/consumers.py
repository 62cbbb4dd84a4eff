"""Messages that auth consumes: none. What others need to know of accounts, it tells."""

from shared.messaging.consumer import ConsumerTable

CONSUMERS: ConsumerTable = {}
