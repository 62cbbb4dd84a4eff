"""The five services. None imports another; they talk through messages."""
