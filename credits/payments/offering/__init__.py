"""What is for sale, at which lowest price, and who waits for it."""
