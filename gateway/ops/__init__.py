"""CLI and service: the composition root."""
