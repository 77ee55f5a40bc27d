"""`register list` and `register check` name the entries that their receivers have disowned."""

from __future__ import annotations

import json
from pathlib import Path

from gateway.contracts.errors import EXIT_DONE, EXIT_NO
from gateway.contracts.receipts import ErrorCode, ReceiptStatus
from tests.flow.harness import Gateway, note, receipt
from tests.ops.conftest import Pakkehjem

ENTRY = "8910031"


def disowned(gateway: Gateway) -> None:
    """The municipality's service says that it is not there."""
    gateway.note(note("dips/01"))
    (message,) = gateway.messages(f"{ENTRY}_async")
    gateway.outside("8900100", receipt(message, ReceiptStatus.REJECTED, ErrorCode.RECEIVER_UNKNOWN))


def test_a_flagged_entry_is_named_until_its_address_is_corrected(
    pakkehjem: Pakkehjem, gateway: Gateway
) -> None:
    def register(*arguments: str) -> str:
        return pakkehjem("register", *arguments, "-c", gateway.config).out

    assert pakkehjem("register", "check", "-c", gateway.config).code == EXIT_DONE
    disowned(gateway)
    checked = pakkehjem("register", "check", "-c", gateway.config)
    assert checked.code == EXIT_NO
    assert "says that it is not there (E21); 1 note waits since" in " ".join(checked.out.split())
    (found,) = [each for each in json.loads(register("check", "--json")) if each["entry"] == ENTRY]
    assert found["grave"]
    assert f"{ENTRY} says that it is not there (E21)" in " ".join(register("list").split())
    entries = {each["her_id"]: each for each in json.loads(register("list", "--json"))["entries"]}
    assert (entries[ENTRY]["flagged"]["codes"], entries[ENTRY]["flagged"]["notes"]) == (["E21"], 1)
    assert [her_id for her_id, each in entries.items() if each.get("flagged")] == [ENTRY]
    assert entries["8900100"]["reads"] == entries["8900101"]["reads"] == ["dialogmelding-1.0"]
    assert "E21, 1 waiting since" in " ".join(register("lookup", ENTRY).split())
    file = gateway.config.parent / "register.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(f'"{ENTRY}"', '"8910999"'), encoding="utf-8")
    assert "not there" not in register("list")


def test_without_a_journal_nothing_is_flagged_and_none_is_made(pakkehjem: Pakkehjem, config: Path) -> None:
    before = set(config.parent.rglob("*"))
    done = pakkehjem("register", "check", "-c", config)
    assert done.code == EXIT_DONE
    assert set(config.parent.rglob("*")) == before


def test_a_journal_that_can_not_be_read_is_told_and_the_rest_is_checked(
    pakkehjem: Pakkehjem, gateway: Gateway
) -> None:
    disowned(gateway)
    (gateway.config.parent / "journal.key").unlink()
    done = pakkehjem("register", "check", "--json", "-c", gateway.config)
    (found,) = json.loads(done.out)
    assert "is not known" in found["text"]
    assert not found["grave"]
    assert done.code == EXIT_DONE
