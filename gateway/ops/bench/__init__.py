"""The benchmark: the whole service, what its primitives allow, and what the libraries' examples give.

A run starts a gateway, the floor (`floor`) and the glued baseline (`glued`) side by side on the same broker,
each with queues and a journal of its own, and feeds them the same messages in turn. Counterparties are a
process of their own.
"""
