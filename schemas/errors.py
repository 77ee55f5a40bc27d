"""What can be wrong with a set of schemas."""

from __future__ import annotations


class SchemaError(ValueError):
    """These schemas can not be used. The text is a sentence for the operator."""
