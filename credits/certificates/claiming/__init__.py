"""What may be said in public of a retirement: written, checked, recorded."""
