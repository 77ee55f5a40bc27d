"""`python -m gateway.ops.cli`."""

from gateway.ops.cli import main

main()
