"""What may stand in a log line, and nothing else.

Two nets, one behind the other. A table says which keys may be logged and what their values look like; the
value of any other key is withheld. In what passes, everything that looks like a national identity number, a
telephone number, an XML fragment or a password in a URL is struck out. Texts of exceptions that are not the
gateway's own are withheld as a whole: libraries quote the value that they stumbled on.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Callable, MutableMapping
from datetime import date
from enum import Enum
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from gateway.contracts.errors import GatewayError

REDACTED: Final = "[redacted]"
MAX_TEXT: Final = 300
"""Characters of a sentence"""
MAX_ITEMS: Final = 50
"""Items of a list"""
MAX_FRAMES: Final = 20
_LARGEST_NUMBER: Final = 999_999_999
"""A number of ten digits or more could be a person's"""

_SENSITIVE: Final = re.compile(
    r"""
      (?P<keep>                                  # a UUID or a digest may hold any run of digits
        (?<![0-9A-Za-z])
        (?: [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}
          | (?=[0-9]*[a-f])[0-9a-f]{32,128} )
        (?![0-9A-Za-z])
      )
    | (?P<password> (?<=://) [^\s/@]+ (?=@) )
    | (?P<xml> <[?!/]?[A-Za-z_\[-] .*+ )         # and all that follows: what stands between tags is content
    | (?P<person> (?<!\d) (?: \d{2}[ .]?\d{2}[ .]?\d{2}[ .-]?\d{3}[ ]?\d{2} (?!\d) | \d{11,} ) )
    | (?P<phone>
        (?<![\d_-]) (?<!\d[.])
        (?: (?:\+|00)[ ]?\d{2}[ ]?[0-9](?:[ .-]?\d){6,10}
          | [2-9]\d(?:[ ]\d{2}){3} | [2-9]\d{2}[ ]\d{2}[ ]\d{3} | [2-9]\d{7} )
        (?! [\dA-Za-z_] | [.-]\d )
      )
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_HARMLESS: Final = re.compile(r"[^\d<@\ud800-\udfff]*")
_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?)?", re.ASCII
)
_TOKEN: Final = re.compile(r"[\w.:/@+*=,~-]{1,200}", re.ASCII)
_KEY: Final = re.compile(r"[a-z_]{1,40}", re.ASCII)
_NUMERIC: Final = re.compile(r"[0-9]{1,9}", re.ASCII)

Rule = Callable[[object], object]


def redact(_logger: object, _method: str, event_dict: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: let through what `RULES` lists, in the form that it says. Never raises."""
    try:
        return dict(_allowed(str(key), value) for key, value in event_dict.items())
    except Exception:  # noqa: BLE001 - a value may do anything when it is looked at; a log line is no reason to stop
        return {"event": REDACTED, "level": "error"}


def scrub(text: str, limit: int = MAX_TEXT) -> str:
    """Strike out what looks like a person's number, a telephone number, XML or a password; cut the rest."""
    if len(text) <= limit and _HARMLESS.fullmatch(text):
        return text
    if len(text) > 2 * limit:
        # The cost is bounded whatever the text; a number across the edge goes whole.
        text = text[: 2 * limit].rstrip("0123456789 .-+")
    struck = _SENSITIVE.sub(_strike, text.encode(errors="replace").decode())
    return struck if len(struck) <= limit else struck[:limit] + "…"


def describe_exception(error: BaseException) -> dict[str, object]:
    """What may be said of an exception: its kind, where it arose, and the text if it is one of ours."""
    said: dict[str, object] = {"type": _kind(error), "message": _exception_text(error)}
    frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    said["frames"] = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        said["cause"] = _kind(cause)
    return said


def _kind(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")


def _exception_text(error: BaseException) -> str:
    if isinstance(error, GatewayError):
        return scrub(error.message)
    if isinstance(error, OSError) and error.strerror:
        # The system's sentence, without the name of the file.
        return scrub(error.strerror)
    return REDACTED


def _strike(match: re.Match[str]) -> str:
    return match[0] if match.lastgroup == "keep" else REDACTED


def _allowed(key: str, value: object) -> tuple[str, object]:
    if key == "exc_info":
        return "exception", _exception(value)
    rule = RULES.get(key)
    if rule is None:
        return (key if _KEY.fullmatch(key) else REDACTED), REDACTED
    return key, _apply(rule, value)


def _apply(rule: Rule, value: object) -> object:
    """None, true and false tell nothing; a list is the rule applied to each of its items."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_apply(rule, item) for item in list(value)[:MAX_ITEMS]]
    return rule(value)


def _exception(value: object) -> object:
    error: object = value
    if value is True:
        error = sys.exc_info()[1]
    elif isinstance(value, tuple):
        error = next((item for item in value if isinstance(item, BaseException)), None)
    return describe_exception(error) if isinstance(error, BaseException) else None


def _number(value: object) -> object:
    """A count, a size or a duration."""
    return value if isinstance(value, int | float) and abs(value) <= _LARGEST_NUMBER else REDACTED


def _token(value: object) -> object:
    """A code, a name of ours or an identifier: one word of plain letters and digits."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, UUID | PurePath):
        value = str(value)
    if isinstance(value, str):
        return scrub(value) if _TOKEN.fullmatch(value) else REDACTED
    return _number(value)


def _numeric(value: object) -> object:
    """A HER-id, an organisation number or a municipality code: never a name."""
    return value if isinstance(value, str) and _NUMERIC.fullmatch(value) else _number(value)


def _sentence(value: object) -> object:
    """A sentence of ours."""
    return scrub(value) if isinstance(value, str) else _token(value)


def _time(value: object) -> object:
    """A time."""
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, str) and _TIME.fullmatch(value) else REDACTED


def _rules(rule: Rule, keys: str) -> dict[str, Rule]:
    return dict.fromkeys(keys.split(), rule)


RULES: Final = MappingProxyType(
    _rules(_sentence, "hint template")
    | _rules(_time, "timestamp at since until not_before not_after")
    | _rules(
        _number,
        "attempt attempts bytes count days depth duration_ms failed faults group_size line lines messages"
        " number open_seconds pid port probes processes processed retry_in_seconds seconds size total"
        " workers",
    )
    | _rules(
        _numeric,
        "from_her_id gp her_id municipality org_no receiver sender to_her_id unit",
    )
    | _rules(
        _token,
        "action adapter algorithm broker cause code codes command condition config correlation_id"
        " direction disposition error error_code event exit_code file finding findings format"
        " formats host id inbound_id kind level logger mode msg_id original_msg_id outbound_id"
        " outcome path profile queue queues reason reference role schema sending_id serial signal"
        " state states status step system table task type url version where worker",
    )
)
"""What may be logged, and in what form; a further key is added here, never where it is logged.

An event is one word (`message-received`), never a sentence with something put into it.
"""
