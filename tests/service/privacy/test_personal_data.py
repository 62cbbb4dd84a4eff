"""Every service's table of personal data: its statements run as the service's own role, and it forgets no table."""

import importlib
import os
import re
from types import ModuleType
from uuid import uuid4

import pytest
import sqlalchemy as sa

from shared.db.database import Database, role_of
from shared.privacy import PersonalData

SERVICES = ("auth", "wallet_ledger", "lending", "payments", "notifications")
PERSON = re.compile(r"(^|_)(user|owner|borrower|lender|payer|actor)_id$")


def table_of(service: str) -> PersonalData:
    found = importlib.import_module(f"services.{service}.personal_data").PERSONAL_DATA
    assert isinstance(found, PersonalData)
    return found


def metadata_of(service: str) -> sa.MetaData:
    tables: ModuleType = importlib.import_module(f"services.{service}.store.tables")
    if service == "auth":
        importlib.import_module("services.auth.store.factor_tables")
    found = tables.metadata
    assert isinstance(found, sa.MetaData)
    return found


@pytest.mark.parametrize("service", SERVICES)
async def test_the_statements_of_a_service_run_and_find_nothing_of_a_stranger(database_url: str, service: str) -> None:
    data = table_of(service)
    role = role_of(service, os.environ["LENDERY_DB_ROLE_PREFIX"])
    database = Database(database_url, schema=service, role=role, pool_size=1)
    try:
        async with database.engine.begin() as connection:
            for query in data.exported.values():
                assert not (await connection.exec_driver_sql(query, (uuid4(),))).all()
            assert await data.blockers(connection, uuid4()) == []
            assert set((await data.erase(connection, uuid4())).values()) <= {0}
    finally:
        await database.dispose()


@pytest.mark.parametrize("service", SERVICES)
def test_no_table_with_a_person_in_it_is_forgotten(service: str) -> None:
    data = table_of(service)
    words = " ".join([*data.exported.values(), *data.erased.values()])
    code = importlib.import_module(f"services.{service}.personal_data").__doc__ or ""
    missing = [
        table.name
        for table in metadata_of(service).tables.values()
        if any(PERSON.search(column.name) for column in table.columns)
        and not re.search(rf"\b{table.name}\b", words + code)
        and table.name not in HANDLED_IN_CODE
    ]
    assert missing == []


HANDLED_IN_CODE = {"kyc_submissions"}  # sealed: services/auth/personal_data.py opens and deletes it by hand


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_kept_says_why(service: str) -> None:
    data = table_of(service)
    assert data.service == service
    assert all(len(why) > 15 for why in data.kept.values())
