"""The vault that seals secrets."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.crypto import BlindIndex, Undecryptable, Vault, open_vault

OLD, NEW = bytes(range(32)), bytes(range(32, 64))


def _encoded(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


@given(st.binary(max_size=2000), st.text(max_size=50))
def test_what_is_sealed_opens_again(plain: bytes, place: str) -> None:
    vault = Vault({"k1": OLD}, "k1")
    sealed = vault.encrypt(plain, aad=place)
    assert vault.decrypt(sealed, aad=place) == plain
    assert vault.encrypt(plain, aad=place) != sealed


def test_text() -> None:
    vault = Vault({"k1": OLD}, "k1")
    sealed = vault.encrypt_text("Nairobi ✓", aad="p")
    assert b"Nairobi" not in sealed
    assert vault.decrypt_text(sealed, aad="p") == "Nairobi ✓"


def test_a_value_does_not_open_elsewhere() -> None:
    vault = Vault({"k1": OLD}, "k1")
    with pytest.raises(Undecryptable):
        vault.decrypt(vault.encrypt(b"secret", aad="row 1"), aad="row 2")


def test_every_changed_byte_is_noticed() -> None:
    vault = Vault({"k1": OLD, "k2": OLD}, "k1")
    sealed = vault.encrypt(b"secret", aad="p")
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(Undecryptable):
            vault.decrypt(bytes(changed), aad="p")


@pytest.mark.parametrize(
    "value", [b"", b"\x01", b"\x01\x02k1", b"\x02\x02k1" + bytes(40), b"\x01\xff" + bytes(40), b"\x01\x01\xff" + bytes(40)]
)
def test_what_was_never_sealed(value: bytes) -> None:
    with pytest.raises(Undecryptable):
        Vault({"k1": OLD}, "k1").decrypt(value, aad="p")


def test_keys_rotate() -> None:
    before, after = Vault({"k1": OLD}, "k1"), Vault({"k2": NEW, "k1": OLD}, "k2")
    sealed = before.encrypt(b"secret", aad="p")
    assert after.decrypt(sealed, aad="p") == b"secret"
    resealed = after.encrypt(b"secret", aad="p")
    assert Vault.key_id_of(resealed) == "k2"
    with pytest.raises(Undecryptable, match="'k2'"):
        before.decrypt(resealed, aad="p")
    assert after.key_ids == ("k2", "k1")


def test_derived_values_depend_on_key_label_and_data() -> None:
    vault = Vault({"k1": OLD, "k2": NEW}, "k1")
    values = {
        vault.derive("a", b"x"),
        vault.derive("b", b"x"),
        vault.derive("a", b"y"),
        vault.derive("a", b"x", key_id="k2"),
    }
    assert len(values) == 4
    assert vault.derive("a", b"x") == vault.derive("a", b"x", key_id="k1")


def test_opening_from_the_environment() -> None:
    vault = open_vault(f"2026b:{_encoded(NEW)}, 2026a:{_encoded(OLD)}", production=True)
    assert vault.key_ids == ("2026b", "2026a")
    assert open_vault(f"k:{base64.urlsafe_b64encode(NEW).decode()}", production=True).active_key_id == "k"


@pytest.mark.parametrize(
    "keys", ["", "nokey", "a:", "a:short", f"a:{_encoded(OLD)},a:{_encoded(NEW)}", "a b:" + _encoded(OLD), "a:***", ","]
)
def test_wrong_keys_are_refused_without_being_shown(keys: str) -> None:
    with pytest.raises(ValueError, match=r"key|KEYS") as refused:
        open_vault(keys, production=True)
    assert _encoded(OLD) not in str(refused.value)


def test_the_local_key_is_for_laptops_only() -> None:
    local = open_vault(None, production=False)
    assert local.active_key_id == "local"
    with pytest.raises(ValueError, match="is needed"):
        open_vault(None, production=True)
    everybodys = _encoded(local._keys["local"])
    with pytest.raises(ValueError, match="everybody knows"):
        open_vault(f"k:{everybodys}", production=True)


def test_an_index_finds_equal_values_and_tells_nothing_else() -> None:
    vault, other = Vault({"k1": OLD}, "k1"), Vault({"k1": NEW}, "k1")
    index = BlindIndex("email_index", "users.email")
    assert index.of(vault, b"a@example.com") == index.of(vault, b"a@example.com")
    made = {
        hashlib.sha256(b"a@example.com").digest(),
        hmac.digest(OLD, b"a@example.com", "sha256"),
        index.of(vault, b"a@example.com"),
        index.of(vault, b"b@example.com"),
        index.of(other, b"a@example.com"),
        BlindIndex("email_index", "people.email").of(vault, b"a@example.com"),
        BlindIndex("address_index", "users.email", within="user_id").of(vault, b"a@example.com", 1),
        BlindIndex("address_index", "users.email", within="user_id").of(vault, b"a@example.com", 2),
    }
    assert len(made) == 8
    assert {len(one) for one in made} == {32}


def test_while_keys_change_a_value_may_have_been_indexed_under_any() -> None:
    index = BlindIndex("email_index", "users.email")
    before, after = Vault({"k1": OLD}, "k1"), Vault({"k2": NEW, "k1": OLD}, "k2")
    assert index.all_of(after, b"a") == [index.of(after, b"a"), index.of(before, b"a")]
