"""The shapes of requests and answers. Shape only: what is asked must still pass the rules of the registry."""
