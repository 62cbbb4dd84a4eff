"""The command line: one service, or all of them in one process; the local PostgreSQL and mailbox; demo data.

- `cli` names the commands, `commands/` has one module for each, `trouble` the ways in which they end.
- `services` is the only list of services. `platform` runs all of them in one process (`lendery up`), `deployment` a part of
  one (`lendery serve`); both stand on `http_server`, `background` (consumers, relays, jobs) and `signals`.
- `postgres/` and `mailbox/` replace the servers that a laptop does not have; `data_directory` is where they keep things.
- `demo/` plays the lending story, `demo_data` makes the demo logins, `documents` writes docs/ from the code.

Only this package and tests see several services.
"""
