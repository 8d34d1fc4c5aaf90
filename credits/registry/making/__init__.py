"""Batches on the producer's side: entered, reckoned, submitted."""
