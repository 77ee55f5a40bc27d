"""A file that is there whole or not at all, for its owner only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.contracts.errors import LocalError


@contextmanager
def new_file(file: Path) -> Iterator[Path]:
    """Where to write; when the block ends, what was written is on the disk under the name that is asked for.

    Raises:
        LocalError: the file exists, or can not be written.
    """
    if file.exists():
        raise LocalError(f"{file} exists already.", hint="Choose another name: nothing is written over.")
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        try:
            os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            yield unfinished
            _flush(unfinished)
            os.link(unfinished, file)
            _flush(file.parent)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise LocalError(f"{file} can not be written: {error.strerror}.") from None


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
