"""Helseplattformen: a dialogue message with the points of the conversation typed in."""

from adapters.helseplattformen.adapter import Helseplattformen

__all__ = ["Helseplattformen"]
