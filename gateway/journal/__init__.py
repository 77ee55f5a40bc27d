"""Inbox, outbox, events."""
