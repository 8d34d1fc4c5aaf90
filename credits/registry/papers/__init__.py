"""Evidence: taken in, looked at, compared."""
