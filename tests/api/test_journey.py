"""The main job from site to certificate, by machines alone."""

from credits.ledger.serials import SerialRange, written
from credits.participants.models import Kind
from credits.registry.mines.observed import ObservedSite
from tests.api.conftest import PAPERS
from tests.documents import worked


class TestMainJob:
    def test_runs_from_a_site_to_a_certificate(
        self,
        app,
        assess,
        session,
        stranger,
        machine,
        cooperative,
        verifier,
        issuer,
        maker,
        site,
        licence,
        batch,
        finding,
        claim,
    ):
        session.add(
            ObservedSite(
                pcode="codmine1",
                source="IPIS",
                name="Kamilombe",
                country="COD",
                province="Lualaba",
                territory="Mutshatsha",
                village="Kolwezi",
                latitude=-10_716_000,
                longitude=25_466_000,
            )
        )
        second = machine(Kind.MANUFACTURER)

        # The site, its licence, and which one it is in the open data.
        made = cooperative.post("/sites", site)
        assert (made.status_code, made.json["number"], made.json["latitude"]) == (201, "COD-KAM001", "-10.716400")
        assert made.location.endswith("/api/v1/sites/COD-KAM001")
        (candidate,) = cooperative.get("/sites/COD-KAM001/candidates").json
        assert (candidate["site"]["pcode"], candidate["site"]["source"]) == ("codmine1", "IPIS")
        matched = cooperative.send("PUT", "/sites/COD-KAM001/match", json={"pcode": "codmine1"})
        assert matched.json["observed"]["name"] == "Kamilombe"
        assert cooperative.post("/sites/COD-KAM001/licences", licence).status_code == 201

        # The batch and its papers.
        drafted = cooperative.post("/batches", batch).json
        assert (drafted["contained"], drafted["contained_credits"], drafted["dry_kg"]) == (2500, "2.5", "8000")
        number = drafted["number"]
        assert len(drafted["missing"]) == len(PAPERS) - 1
        for kind in PAPERS:
            assert cooperative.paper(number, kind, reference=f"{kind}-1").status_code == 201
        assert cooperative.post(f"/batches/{number}/submit").json["state"] == "submitted"

        # The verifier asks for one more paper, gets it, approves; the registry issues.
        assert verifier.post(f"/batches/{number}/take").json["state"] == "in_review"
        stale = finding | {"revision": verifier.get(f"/batches/{number}").json["revision"]}
        asked = {"text": "The royalty receipt, please."}
        assert verifier.post(f"/batches/{number}/request-information", asked).json["state"] == "information_requested"
        assert cooperative.paper(number, "royalty_receipt").status_code == 201
        assert cooperative.post(f"/batches/{number}/answer", {"text": "Added."}).json["state"] == "in_review"
        assert verifier.verify(number, finding).json["code"] == "not_assessed"
        assess(number)
        for sent, code in ((stale, "changed_meanwhile"), (finding, "invalid")):
            assert verifier.post(f"/batches/{number}/verify", sent).json["code"] == code
        assert verifier.verify(number, finding).json["state"] == "verified"
        issued = issuer.post("/issuances", {"batch": number}).json
        assert (issued["quantity"], issued["credits"]) == (2500, "2.5")
        assert issued["vintage"] == int(batch["produced_to"][:4])
        issuance = issued["number"]

        # Two buyers take their parts, one retires half of its own.
        for buyer, quantity in ((maker, 1500), (second, 1000)):
            offer = {"issuance": issuance, "recipient": buyer.number, "quantity": quantity}
            sent = cooperative.post("/transfers", offer).json
            assert sent["state"] == "pending"
            assert buyer.post(f"/transfers/{sent['number']}/accept").json["state"] == "accepted"
        retired = maker.post("/retirements", claim | {"issuance": issuance})
        assert (retired.status_code, retired.json["credits"]) == (201, "0.75")
        assert retired.json["serials"] == [written(issuance, SerialRange(1, 750))]

        # Everybody can read the certificate and look each serial up.
        certificate = retired.json["number"]
        facts = stranger.get(f"/certificates/{certificate}").json
        assert facts["beneficiary"]["name"] == claim["beneficiary"]
        assert facts["origins"][0]["serials"] == retired.json["serials"]
        assert issued_document(app, session, stranger, certificate).startswith(b"%PDF-")
        whole = stranger.get(f"/serials/{issued['serials']}").json
        assert [(place["quantity"], place["state"], place["holder"]["number"]) for place in whole["places"]] == [
            (750, "retired", maker.number),
            (750, "available", maker.number),
            (1000, "available", second.number),
        ]
        assert whole["rest"] is None
        for unit, where in ((1, "retired"), (750, "retired"), (751, "available"), (2500, "available")):
            (place,) = stranger.get(f"/serials/{issuance}-{unit:09d}").json["places"]
            assert place["state"] == where


def issued_document(app, session, stranger, certificate) -> bytes:
    """The document of a certificate: not there at first, and within a minute."""
    address = f"/certificates/{certificate}/document"
    early = stranger.get(address)
    assert (early.status_code, early.json["code"]) == (409, "certificate_not_issued_yet")
    worked(app, session)
    document = stranger.get(address)
    assert document.mimetype == "application/pdf"
    assert document.data == stranger.get(address).data
    return document.data
