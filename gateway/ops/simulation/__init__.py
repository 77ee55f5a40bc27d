"""Everybody but the gateway: hospitals that send, receivers that answer, and a ledger of it all."""
