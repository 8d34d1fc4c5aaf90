"""What the data say against a claim: who saw the mine, and what it can have produced."""
