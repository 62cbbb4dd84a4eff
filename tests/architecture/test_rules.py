"""The rules of CONTRIBUTING.md that a machine can check. (import-linter has the dependency rules: `make lint`.)"""

import ast
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CODE = ("gateway", "services", "shared", "runtime", "migrations")
SOURCES = sorted(path for folder in CODE for path in (ROOT / folder).rglob("*.py"))
SERVICES = ("auth", "wallet_ledger", "lending", "payments", "notifications")
MAX_LINES = 350


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_module_says_what_it_is_for_and_stays_short(path: Path) -> None:
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)), "a module without a docstring"
    assert len(text.splitlines()) <= MAX_LINES, "too long: split it"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_nothing_is_left_unfinished(path: Path) -> None:
    found = re.search(r"\b(TODO|FIXME|XXX|NotImplementedError)\b|# type: ignore$|except Exception:\s*pass", path.read_text())
    assert found is None, found


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_rooms(service: str) -> None:
    home = ROOT / "services" / service
    files = ("main.py", "settings.py", "context.py", "consumers.py", "jobs.py")
    for room in (*files, "api", "commands", "queries", "domain", "store"):
        assert (home / room).exists(), room
    assert len(ast.get_docstring(ast.parse((home / "__init__.py").read_text())) or "") > 200, "say what it owns and promises"


@pytest.mark.parametrize("service", SERVICES)
def test_only_commands_open_a_unit_of_work(service: str) -> None:
    home = ROOT / "services" / service
    allowed = {home / "context.py", *(home / "commands").rglob("*.py"), *(home / "store").rglob("*.py")}
    for path in home.rglob("*.py"):
        if path not in allowed and "async with context.unit_of_work(" in path.read_text():
            # An endpoint that needs no idempotency key may open one around its command.
            assert path.parent == home / "api", name(path)


def test_floats_stay_out_of_money() -> None:
    for service in SERVICES:
        for path in (ROOT / "services" / service / "domain").rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
                    assert path.name == "roots.py", f"{name(path)}:{node.lineno}"  # a root of rates, polished in Decimal


def test_the_compose_file_pins_checks_and_orders_everything() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    services = compose["services"]
    for title, service in services.items():
        if service["image"].startswith("lendery:"):
            continue
        tag = service["image"].rsplit(":", 1)[1]
        assert tag != "latest", title
        assert re.match(r"\d+\.\d+", tag), f"{title} is not pinned"
        for needed in service.get("depends_on", {}):
            assert needed in services, f"{title} waits for {needed}"
    for title in ("postgres", "rabbitmq", "redis"):
        assert "healthcheck" in services[title], title
    for title in ("auth", "wallet-ledger", "lending", "payments", "notifications"):
        assert services[title]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_the_lock_names_no_place_to_download_from() -> None:
    for lock in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / lock).read_text()
        assert "://" not in text
        assert "--hash=sha256:" in text


def test_no_secret_is_tracked() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert ".env" not in tracked
    assert not [path for path in tracked if path.endswith((".pem", ".key"))]
