"""The ways in which messages leave the platform. `base` is what any way promises; a folder is one way."""
