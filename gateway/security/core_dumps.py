"""No core dump: a process's memory holds messages and keys."""

from __future__ import annotations

import ctypes
import resource
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4
"""prctl(2)"""


def leave_no_core() -> None:
    """See to it that a crash of this process leaves no image of its memory, in a file or a crash reporter.

    A limit of 0 keeps files away. It does not bind a program that the kernel pipes dumps to (core(5)), so on
    Linux the process is marked as not to be dumped. Others of the same user can not look into it then.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
