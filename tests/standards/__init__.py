"""What the national standards and acceptance tests demand, point by point."""
