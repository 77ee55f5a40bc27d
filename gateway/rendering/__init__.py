"""The summary as a message for a receiver, and back."""
