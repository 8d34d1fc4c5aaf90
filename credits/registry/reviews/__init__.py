"""Who verifies what, and how a batch is verified."""
