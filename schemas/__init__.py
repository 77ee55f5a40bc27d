"""XSDs, and the one way to compile and use them."""
