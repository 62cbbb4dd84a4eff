"""One module a command. They import little at the top, so that `lendery --help` answers at once."""
