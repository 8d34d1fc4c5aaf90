"""A registry, the keys it publishes, and a certificate of it."""

import pytest

from credits.certificates.checks.published_keys import PublishedKeys
from tests.certificates.genuine import Registry, keys_of


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.made()


@pytest.fixture(scope="module")
def keys(registry) -> PublishedKeys:
    return keys_of(registry)


@pytest.fixture(scope="module")
def genuine(registry) -> bytes:
    return registry.certificate()
