"""Writes `leaked.py` again: `pip install zxcvbn==4.5.0`, then `python -m services.auth.domain.common_passwords.generate`.

The source is the list of passwords in zxcvbn 4.5.0 (MIT licence, Copyright (c) 2016 Daniel Wolf, after
Dropbox): the 30,000 commonest of the ten million leaked ones that Mark Burnett gave to the public domain.
"""

import textwrap
from importlib import import_module
from pathlib import Path

from services.auth.domain.passwords import MIN_LENGTH, normalised

_HEAD = '''"""Common passwords out of leaks. Generated: see generate.py, which names the source and its licence."""

LEAKED = r"""
'''


def main() -> None:
    """Write the module."""
    listed = import_module("zxcvbn.frequency_lists").FREQUENCY_LISTS["passwords"]
    kept = sorted({normalised(password).casefold() for password in listed if len(password) >= MIN_LENGTH})
    lines = textwrap.wrap(" ".join(kept), 120, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
    Path(__file__).with_name("leaked.py").write_text(_HEAD + "\n".join(lines) + '\n"""\n')


if __name__ == "__main__":
    main()
