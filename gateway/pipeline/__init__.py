"""From a message to its sendings."""
