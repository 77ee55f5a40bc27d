from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.contracts.errors import LocalError
from gateway.contracts.ports import Vault
from gateway.security.vault import AesVault, VaultKey, load_key_file, new_key_file, open_vault
from tests.security.messages import PATIENT, assert_tells_nothing

OLD, NEW = VaultKey(b"o" * 32), VaultKey(b"n" * 32)
REFERENCE = b"r" * 32


def vault(*keys: VaultKey) -> AesVault:
    return AesVault(keys or (NEW,), REFERENCE)


@given(plain=st.binary(max_size=300), context=st.binary(max_size=40))
@settings(max_examples=60, deadline=None)
def test_what_is_sealed_opens_with_its_context_alone(plain: bytes, context: bytes) -> None:
    sealed = vault().seal(plain, context=context)
    assert vault().open(sealed, context=context) == plain
    with pytest.raises(LocalError):
        vault().open(sealed, context=context + b"x")


def test_nothing_shows_through() -> None:
    plain = PATIENT[1].encode() * 10
    sealed = vault().seal(plain, context=b"c")
    assert PATIENT[1].encode() not in sealed
    assert len(sealed) == len(plain) + 37
    assert sealed != vault().seal(plain, context=b"c")


@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_a_changed_byte_is_found(data: st.DataObject) -> None:
    sealed = bytearray(vault().seal(PATIENT[0].encode(), context=b"c"))
    position = data.draw(st.integers(0, len(sealed) - 1))
    sealed[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(LocalError) as caught:
        vault().open(bytes(sealed), context=b"c")
    assert_tells_nothing(caught.value)


@given(sealed=st.binary(max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_bytes_do_not_open(sealed: bytes) -> None:
    with pytest.raises(LocalError):
        vault().open(sealed, context=b"")


def test_old_keys_read_and_the_first_key_writes() -> None:
    old = vault(OLD).seal(b"x", context=b"")
    both = vault(NEW, OLD)
    assert both.open(old, context=b"") == b"x"
    assert vault(NEW).open(both.seal(b"y", context=b""), context=b"") == b"y"
    with pytest.raises(LocalError, match="not in the key file"):
        vault(NEW).open(old, context=b"")


def test_references() -> None:
    first: Vault = vault(OLD)
    assert first.reference(PATIENT[1]) == vault(NEW).reference(PATIENT[1])
    assert first.reference(PATIENT[1]) != first.reference(PATIENT[1][::-1])
    assert first.reference(PATIENT[1]) != AesVault([NEW], b"q" * 32).reference(PATIENT[1])
    assert re.fullmatch("[0-9a-f]{64}", first.reference("æ"))


def test_keys_show_nothing_of_themselves() -> None:
    assert "nnn" not in repr(NEW) + repr(vault())
    assert NEW.id != OLD.id
    assert VaultKey.new() != VaultKey.new()


@pytest.mark.parametrize(
    "make",
    [
        lambda: VaultKey(b"short"),
        lambda: AesVault([], REFERENCE),
        lambda: AesVault([NEW], b"short"),
    ],
)
def test_keys_that_are_none(make: object) -> None:
    assert callable(make)
    with pytest.raises(LocalError):
        make()


def test_a_key_file(tmp_path: Path) -> None:
    path = tmp_path / "journal.key"
    new_key_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    sealed = load_key_file(path).seal(b"x", context=b"c")
    assert load_key_file(path).open(sealed, context=b"c") == b"x"
    assert open_vault(path.read_bytes(), source="environment").open(sealed, context=b"c") == b"x"
    with pytest.raises(LocalError, match="exists already"):
        new_key_file(path)


def test_a_new_key_before_the_old_one(tmp_path: Path) -> None:
    path, other = tmp_path / "journal.key", tmp_path / "other.key"
    new_key_file(path)
    new_key_file(other)
    before = load_key_file(path)
    sealed, reference = before.seal(b"x", context=b"c"), before.reference("x")
    new = next(line for line in other.read_text().splitlines() if line.endswith("=") and " " not in line)
    path.write_text(new + "\n" + path.read_text())
    after = load_key_file(path)
    assert after.open(sealed, context=b"c") == b"x"
    assert after.reference("x") == reference
    with pytest.raises(LocalError):
        before.open(after.seal(b"y", context=b"c"), context=b"c")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_file_that_others_may_read(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "journal.key"
    new_key_file(path)
    path.chmod(mode)
    with pytest.raises(LocalError) as caught:
        load_key_file(path)
    assert caught.value.hint == f"chmod 600 {path}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "no line with the reference key"),
        (b"canary\n", "line 1"),
        (b"# note\n\nY2FuYXJ5\n", "line 3"),
        (b"reference Y2FuYXJ5\n", "line 1"),
        (b"other " + b"A" * 43 + b"=\n", "line 1"),
        (b"reference " + b"A" * 43 + b"=\n", "has no key"),
        (b"reference " + b"A" * 43 + b"=\nreference " + b"A" * 43 + b"=\n", "line 2"),
    ],
)
def test_a_key_file_of_another_form(text: bytes, says: str) -> None:
    with pytest.raises(LocalError, match=says) as caught:
        open_vault(text, source="journal.key")
    assert "canary" not in str(caught.value)


def test_a_key_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="can not be read"):
        load_key_file(tmp_path / "journal.key")
