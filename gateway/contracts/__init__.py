"""What the rooms of the gateway agree on: the summary, the messages, the findings, the errors, the ports."""
