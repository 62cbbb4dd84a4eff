"""Messages between services: written with the business change, delivered at least once, taking effect exactly once.

The way of a message:

1. A command publishes an event or sends a command through its unit of work (`outbox.Outbox`): a row of the service's
   own `outbox` table, in the same transaction as the change it tells about.
2. The service's relay (`relay.Relay`) hands the rows to the process's transport, in order per aggregate, and marks a
   row only when the transport has taken responsibility for it.
3. The transport is RabbitMQ (`rabbitmq.RabbitTransport`) or, for one process, a direct call (`local.LocalTransport`).
4. The consumer's dispatcher (`dispatcher.Dispatcher`) decodes it, calls the one handler of its type, retries what may
   pass, and stores what cannot as a dead letter (`dead_letters.DeadLetters`) in the consumer's own schema.
5. The handler's transaction begins by recording the message in the `inbox` (`inbox.record`), so that a message
   delivered again changes nothing.

`envelope` is the wire format (CloudEvents 1.0), `shared.contracts` the messages themselves.
"""
