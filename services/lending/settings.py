"""Configuration of lending."""

from shared.settings import CommonSettings


class Settings(CommonSettings):
    """Nothing of lending's own yet: products are data in `domain/product.py`."""
