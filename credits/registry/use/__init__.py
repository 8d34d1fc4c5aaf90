"""What is declared to be used of a mineral, and how far retirements cover it."""
