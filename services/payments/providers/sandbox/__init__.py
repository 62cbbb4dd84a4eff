"""The sandbox provider's adapter: how we talk to the payment page that `server` is."""
