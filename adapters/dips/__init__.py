"""DIPS: the form «Pakkeforløp hjem for pasienter med kreft», sent as a PLO message."""

from adapters.dips.adapter import Dips

__all__ = ["Dips"]
