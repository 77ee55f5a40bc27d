"""Queues: the embedded one, and RabbitMQ."""
