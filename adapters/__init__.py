"""Adapters: what each record system does inside the formats."""
