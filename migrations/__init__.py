"""The database's shape: one Alembic environment, one branch of versions a service, a schema and a role for each.

`runner.migrate` is what `lendery migrate`, `make run` and the tests call. `alembic -c migrations/alembic.ini …` is for
writing migrations.
"""
