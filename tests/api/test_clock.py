"""A clock that was set back by three days, over the real door: nothing fails, nothing is lost, nothing is rewritten."""

import sys
from datetime import UTC, datetime, timedelta

import pytest

from credits.journal.notes import verifying_key
from credits.journal.proofs import check, proof_in
from credits.ledger import invariants


@pytest.fixture
def set_back(monkeypatch):
    """Let all that asks for the time hear what it was three days ago."""

    def earlier() -> datetime:
        return datetime.now(UTC) - timedelta(days=3)

    def turn() -> None:
        for name, module in list(sys.modules.items()):
            if name.startswith("credits.") and hasattr(module, "now"):
                monkeypatch.setattr(module, "now", earlier)

    return turn


def test_registry_and_log_go_on(app, client, session, cooperative, maker, issuance, claim, set_back):
    journal = app.test_cli_runner().invoke
    number = cooperative.post("/transfers", {"issuance": issuance, "recipient": maker.number, "quantity": 1000}).json[
        "number"
    ]
    session.rollback()
    assert journal(args=["journal", "publish"]).exit_code == 0
    first = client.get("/checkpoint").text
    set_back()

    assert maker.post(f"/transfers/{number}/accept").status_code == 200
    retired = maker.post("/retirements", claim | {"issuance": issuance})
    assert retired.status_code == 201, retired.json
    assert journal(args=["journal", "publish"]).exit_code == 0
    verified = journal(args=["journal", "verify"])
    assert verified.exit_code == 0, verified.output
    assert int(client.get("/checkpoint").text.split("\n")[1]) > int(first.split("\n")[1])
    proof = proof_in(client.get(f"/log/proofs/{retired.json['number']}.tlog-proof").data)
    key = verifying_key(client.get("/log/keys").text.split()[0])
    assert check(proof, body=proof.body, keys=[key]).index == proof.index
    assert [promise.name for promise in invariants.check(session) if not promise.holds] == []
    assert client.get(f"/issuances/{issuance}").status_code == 200
