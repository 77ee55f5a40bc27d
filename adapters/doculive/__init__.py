"""Doculive: a letter, sent in the epicrisis format."""

from adapters.doculive.adapter import Doculive

__all__ = ["Doculive"]
