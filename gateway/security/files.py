"""Files that only their owner may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from gateway.contracts.errors import LocalError

CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def write_private(path: Path, content: bytes) -> None:
    """Write a new file with mode 0600: whole or not at all, and never over one that is there.

    Raises:
        LocalError: the file exists, or can not be written.
    """
    _write(path, content, mode=0o600)


def write_public(path: Path, content: bytes) -> None:
    """As `write_private`, with mode 0644."""
    _write(path, content, mode=0o644)


def _write(path: Path, content: bytes, *, mode: int) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
                os.fchmod(descriptor, mode)
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            # A link, unlike a rename, fails where the name is taken.
            os.link(temporary, path)
        finally:
            temporary.unlink()
    except FileExistsError:
        raise LocalError(
            f"{path} exists already.", hint="Move it away first if it is to be replaced."
        ) from None
    except OSError as error:
        raise LocalError(f"{path} can not be written: {error.strerror}.") from None


def credentials_directory() -> Path | None:
    """Where systemd puts what `LoadCredential=` names (systemd.exec(5), Credentials)."""
    value = os.environ.get(CREDENTIALS_VARIABLE)
    return Path(value) if value else None


def _not_allowed(path: Path) -> int:
    """What others may not do with a file."""
    directory = credentials_directory()
    if directory is not None and path.absolute().is_relative_to(directory.absolute()):
        # The service's user reads them by an access list, whose mask stands where the group's rights do; the
        # folder is closed to everyone else.
        return _OTHERS & ~stat.S_IRGRP
    return _OTHERS


def read_private(path: Path) -> bytes:
    """Read a file that holds a secret.

    Raises:
        LocalError: the file is missing or unreadable, or others than its owner may read it.
    """
    try:
        with path.open("rb") as file:
            open_to_others = os.fstat(file.fileno()).st_mode & _not_allowed(path)
            content = file.read()
    except OSError as error:
        raise LocalError(f"{path} can not be read: {error.strerror}.") from None
    if open_to_others:
        raise LocalError(f"Others may read or change {path}, which holds a key.", hint=f"chmod 600 {path}")
    return content


def read_public(path: Path) -> bytes:
    """Read a file of ours that holds no secret.

    Raises:
        LocalError: the file is missing or unreadable.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise LocalError(f"{path} can not be read: {error.strerror}.") from None
