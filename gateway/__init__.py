"""The Pakkeforløp hjem gateway."""

__version__ = "0.1.0"
