"""From bytes to a message that can be trusted."""
