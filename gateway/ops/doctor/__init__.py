"""`pakkehjem doctor`: everything that could stop the service, looked at without changing anything."""
