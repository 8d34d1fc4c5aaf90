"""Whether a document is genuine, without the registry."""
