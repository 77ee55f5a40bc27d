"""A key directory, a trust store, and a signed message."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.security.keys import KeyStore, TrustStore
from gateway.security.signature import XmlSigner, XmlVerifier
from tests.security import pki
from tests.security.messages import MESSAGE


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyStore:
    directory = tmp_path_factory.mktemp("keys")
    return KeyStore(pki.key_directory(directory, pki.hospital(), pki.issuing()))


@pytest.fixture(scope="session")
def trust_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trust") / "root.pem"
    path.write_bytes(pki.root().pem)
    return path


@pytest.fixture(scope="session")
def verifier(trust_file: Path) -> XmlVerifier:
    return XmlVerifier(TrustStore.from_files([trust_file]))


@pytest.fixture(scope="session")
def signed(keys: KeyStore) -> bytes:
    return XmlSigner(keys).sign(MESSAGE, org_no=None)
