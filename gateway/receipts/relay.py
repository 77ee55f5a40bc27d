"""Who answers a hospital's note: its receivers, whose AppRecs are passed on, or the gateway for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class AnsweredBy(StrEnum):
    """Whose AppRec a hospital gets for a receiver that its note names."""

    RECEIVER = "receiver"
    """The receiver's, translated"""
    GATEWAY = "gateway"
    """The gateway's, positive as soon as the note is durable, understood and on its way; what a receiver
    refuses later is told by DIALOG_AVVIK"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayPolicy:
    """What a deployment sets."""

    answered_by: AnsweredBy = AnsweredBy.RECEIVER
    by_sender: Mapping[str, AnsweredBy] = field(default_factory=dict)
    """By HER-id of a hospital or a unit; the unit's goes before its hospital's"""

    def gateway_answers(self, hospital: str | None, unit: str | None) -> bool:
        """Whether the gateway answers notes of a sender."""
        chosen = self.answered_by
        for her_id in (hospital, unit):
            chosen = self.by_sender.get(her_id or "", chosen)
        return chosen is AnsweredBy.GATEWAY
