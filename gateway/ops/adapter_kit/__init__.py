"""A kit for new EPJ systems: a scaffold, and the contract that an adapter must keep."""
