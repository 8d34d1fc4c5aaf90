"""Premium on its way to the mine: divided, decided on, paid out, accounted for, and followed."""
