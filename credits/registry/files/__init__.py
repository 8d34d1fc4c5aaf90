"""Files of many rows: read, looked through, entered."""
