"""The rules of the registry, one verb of the field per module. Operations flush; the door commits."""
