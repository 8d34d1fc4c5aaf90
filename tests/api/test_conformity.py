"""Whatever is sent, the API answers as its OpenAPI document says, and never with a fault."""

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import CHECKS

from credits.participants.models import Kind
from tests.api.conftest import Machine

WANTED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
# One address of each kind that leads somewhere: rules beyond the shape are then asked as well.
REAL = {"batches": "BATCH-000001", "sites": "COD-KAM001", "organisations": "ORG-000001", "transfers": "TRANSFER-000001"}
EXAMPLES = 4


def real_number(path: str) -> str | None:
    return REAL.get(path.removeprefix("/api/v1/").partition("/")[0])


def tried(operation, machine: Machine, number: str | None) -> None:
    """Send some of what the document allows, and of what it does not. number: for the address, if not generated."""
    checks = [check for check in CHECKS.get_all() if check.__name__ in WANTED]
    assert len(checks) == len(WANTED)

    @hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy())
    def try_one(case):
        headers = {"Authorization": f"Bearer {machine.secret}"}
        if number is not None:
            case.path_parameters["number"] = number
            headers["Idempotency-Key"] = f"real-{next(machine.keys)}"
        case.call_and_validate(headers=headers, checks=checks)

    try_one()


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Kind.COOPERATIVE, Kind.REGISTRY])
def test_every_operation_keeps_its_word(app, session, machine, submitted, cooperative, kind):
    asking = cooperative if kind is Kind.COOPERATIVE else machine(kind)
    session.commit()
    described = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    operations = [found.ok() for found in described.get_all_operations()]

    for operation in operations:
        tried(operation, asking, None)
        if "{number}" in operation.path and (number := real_number(operation.path)):
            tried(operation, asking, number)
