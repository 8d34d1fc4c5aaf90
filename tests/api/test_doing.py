import pytest
from sqlalchemy import select

from credits.participants.models import Kind, Kyc, Organisation, RoleName, User
from tests.api.conftest import day
from tests.factories import OrganisationFactory


@pytest.fixture
def offer(maker, issuance):
    return {"issuance": issuance, "recipient": maker.number, "quantity": 1000}


class TestKey:
    def test_is_needed_by_every_change(self, cooperative, batch):
        headers = {"Authorization": f"Bearer {cooperative.secret}"}
        for path, body in (("/batches", {"json": batch}), ("/batches/BATCH-000001/submit", {})):
            answer = cooperative.client.post(f"/api/v1{path}", headers=headers, **body)

            assert (answer.status_code, answer.json["code"]) == (422, "invalid")
            assert "Idempotency-Key" in answer.json["errors"]["headers"]

    def test_is_printable_and_not_too_long(self, cooperative, site):
        for key in ("", "x" * 201, "tab\there"):
            assert cooperative.post("/sites", site, key=key).status_code == 422

    def test_gives_the_same_answer_again(self, cooperative, offer):
        first = cooperative.post("/transfers", offer, key="once")
        again = cooperative.post("/transfers", offer, key="once")

        assert (first.status_code, again.status_code) == (201, 200)
        assert (first.json, first.location) == (again.json, again.location)
        assert len(cooperative.get("/transfers").json) == 1

    def test_gives_the_same_refusal_again(self, cooperative, maker, offer):
        too_much = offer | {"quantity": 2501}
        first = cooperative.post("/transfers", too_much, key="once")
        sent = cooperative.post("/transfers", offer).json["number"]
        again = cooperative.post("/transfers", too_much, key="once")

        assert (first.status_code, first.json["code"]) == (409, "insufficient_balance")
        assert first.json["context"]["available"] == 2500
        assert again.json == first.json
        assert maker.post(f"/transfers/{sent}/accept").status_code == 200

    def test_belongs_to_one_request(self, cooperative, offer):
        cooperative.post("/transfers", offer, key="once")

        answer = cooperative.post("/transfers", offer | {"quantity": 1}, key="once")

        assert (answer.status_code, answer.json["code"]) == (409, "key_reused")
        assert answer.json["context"]["differs_in"] == ["quantity"]

    def test_names_every_difference_of_whatever_was_asked(self, cooperative, maker, offer, site, licence, claim):
        number = cooperative.post("/transfers", offer).json["number"]
        maker.post(f"/transfers/{number}/accept")
        retirement = claim | {"issuance": offer["issuance"]}
        for sender, path, body, bent, differs in (
            (maker, "/retirements", retirement, {"beneficiary": "Other", "quantity": 1}, {"beneficiary", "quantity"}),
            (cooperative, "/sites", site | {"name": "Other pit"}, {"name": "Third pit"}, {"name"}),
            (cooperative, "/sites/COD-KAM001/licences", licence | {"number": "LIC-2"}, {"number": "LIC-3"}, {"number"}),
        ):
            assert sender.post(path, body, key=path).status_code == 201
            again = sender.post(path, body | bent, key=path)

            assert (again.status_code, again.json["code"]) == (409, "key_reused")
            assert set(again.json["context"]["differs_in"]) == differs
            assert all(name in again.json["detail"] for name in differs)

    def test_belongs_to_its_sender(self, cooperative, maker, offer):
        number = cooperative.post("/transfers", offer, key="once").json["number"]

        assert maker.post(f"/transfers/{number}/accept", key="once").status_code == 200

    def test_covers_steps_without_a_key_of_their_own(self, cooperative, maker, offer):
        number = cooperative.post("/transfers", offer).json["number"]

        first = maker.post(f"/transfers/{number}/accept", key="once")
        again = maker.post(f"/transfers/{number}/accept", key="once")
        anew = maker.post(f"/transfers/{number}/accept", key="twice")
        other = maker.post(f"/transfers/{number}/reject", {"reason": "No."}, key="once")

        assert (first.status_code, again.status_code) == (200, 200)
        assert first.json == again.json
        assert (anew.status_code, anew.json["code"]) == (409, "transfer_closed")
        assert (other.status_code, other.json["code"]) == (409, "key_reused")

    def test_remembers_a_refused_step(self, cooperative, batch, site, licence):
        cooperative.post("/sites", site)
        number = cooperative.post("/batches", batch).json["number"]
        first = cooperative.post(f"/batches/{number}/submit", key="once")
        cooperative.post("/sites/COD-KAM001/licences", licence)
        again = cooperative.post(f"/batches/{number}/submit", key="once")

        assert (first.status_code, first.json["code"]) == (409, "incomplete")
        assert again.json == first.json


class TestToken:
    def test_must_be_one_in_use(self, cooperative):
        for header in ("", "Bearer", "Bearer wrong", "Basic {}", "Token {}", "{}"):
            headers = {"Authorization": header.format(cooperative.secret)}

            answer = cooperative.client.get("/api/v1/me", headers=headers)

            assert (answer.status_code, answer.json["code"]) == (401, "not_signed_in")
            assert answer.headers["WWW-Authenticate"] == "Bearer"

    def test_is_no_session(self, client, machine, session):
        machine()
        client.sign_in(session.scalars(select(User)).one())

        assert client.get("/api/v1/me").status_code == 401

    def test_tells_whose_it_is(self, cooperative):
        answer = cooperative.get("/me")

        assert (answer.json["roles"], answer.json["organisation"]["number"]) == (["manager"], cooperative.number)
        assert answer.headers["Cache-Control"] == "private, no-store"


class TestScope:
    def test_shows_nobody_what_is_another_s(self, machine, submitted):
        other = machine()
        for method, path, body in (
            ("GET", "/sites/COD-KAM001", None),
            ("GET", "/sites/COD-KAM001/candidates", None),
            ("PUT", "/sites/COD-KAM001/match", {"pcode": None}),
            ("GET", "/batches/BATCH-000001", None),
            ("PATCH", "/batches/BATCH-000001", {"miners": 1}),
            ("POST", "/batches/BATCH-000001/submit", None),
            ("POST", "/batches/BATCH-000001/withdraw", None),
            ("POST", "/batches/BATCH-000001/answer", {"text": "Mine."}),
            ("POST", "/batches/BATCH-000001/take", None),
            ("GET", "/batches/BATCH-000001/evidence/1", None),
            ("GET", "/batches/BATCH-999999", None),
            ("GET", "/batches/BATCH-1", None),
            ("GET", "/batches/BATCH-000000000000000000000001", None),
            ("GET", f"/batches/BATCH-000001/evidence/{2**70}", None),
            ("GET", "/holdings?holder=ORG-000001", None),
        ):
            answer = other.send(method, path, **({"json": body} if body else {}))

            assert answer.status_code == 404, path

    def test_tells_who_may_know_but_not_do(self, session, machine, submitted, issuer, verifier, finding):
        drawn = session.get(Organisation, int(verifier.number.removeprefix("ORG-")))
        reviewer = machine(may=[RoleName.REVIEWER], organisation=drawn)
        other = machine(Kind.VERIFIER)
        buyer = machine(Kind.MANUFACTURER)
        reviewer.post(f"/batches/{submitted}/take")

        # Another verifier may not even know of what is reviewed elsewhere.
        assert other.verify(submitted, finding).json["code"] == "no_such_batch"
        assert reviewer.verify(submitted, finding).json["code"] == "wrong_role"
        assert buyer.post("/issuances", {"batch": submitted}).status_code == 403
        assert issuer.post("/issuances", {"batch": submitted}).json["code"] == "wrong_state"

    def test_lets_a_group_manager_act_for_its_cooperatives(self, session, machine, site):
        group = machine(Kind.GROUP_MANAGER)
        manager_id = int(group.number.removeprefix("ORG-"))
        member = OrganisationFactory(group_manager_id=manager_id)
        session.flush()

        answer = group.post("/sites", site | {"producer": member.number})

        assert answer.json["producer"]["number"] == member.number
        assert [row["number"] for row in group.get("/organisations").json] == [group.number, member.number]

    def test_does_not_let_an_unapproved_organisation_write(self, machine, site):
        waiting = machine(organisation=OrganisationFactory(kyc=Kyc.PENDING))

        answer = waiting.post("/sites", site)

        assert (answer.status_code, answer.json["code"]) == (403, "organisation_not_approved")


class TestRules:
    def test_are_told_as_problems(self, cooperative, maker, offer, claim, batch):
        issuance = offer["issuance"]
        refused = {
            "transfer_to_oneself": cooperative.post("/transfers", offer | {"recipient": cooperative.number}),
            "no_such_organisation": cooperative.post("/transfers", offer | {"recipient": "ORG-999999"}),
            "no_such_issuance": cooperative.post("/transfers", offer | {"issuance": "ASMC-CO-COD-KAM001-2026-9999"}),
            "insufficient_balance": maker.post("/retirements", claim | {"issuance": issuance}),
            "not_a_buyer": cooperative.post("/retirements", claim | {"issuance": issuance}),
            "bad_measure": cooperative.post("/batches", batch | {"grade": "100.5"}),
            "bad_period": cooperative.post("/batches", batch | {"produced_from": day(1)}),
            "bad_production": cooperative.post("/batches", batch | {"produced_to": day(-1)}),
            "unknown_mineral": cooperative.post("/batches", batch | {"mineral": "XX"}),
        }

        assert {code: answer.json["code"] for code, answer in refused.items()} == {code: code for code in refused}
        assert all(400 <= answer.status_code < 500 for answer in refused.values())

    def test_refuse_an_overlapping_batch(self, cooperative, submitted, batch):
        number = cooperative.post("/batches", batch).json["number"]
        for kind in ("scale_log", "assay", "sales_invoice"):
            assert cooperative.paper(number, kind).status_code == 201

        answer = cooperative.post(f"/batches/{number}/submit")

        assert (answer.status_code, answer.json["code"]) == (409, "overlapping_batch")

    def test_let_a_draft_be_changed_in_part(self, cooperative, site, batch):
        cooperative.post("/sites", site)
        number = cooperative.post("/batches", batch).json["number"]

        changed = cooperative.send("PATCH", f"/batches/{number}", json={"gross_kg": "12000.5"}).json

        assert (changed["gross_kg"], changed["dry_kg"], changed["grade"]) == ("12000.5", "9600.4", "31.25")
        assert (changed["contained"], changed["miners"], changed["sold_to"]) == (3000, 820, "Depot 7")

    def test_keep_markup_as_text(self, cooperative, site):
        name = "<script>alert(1)</script>"

        assert cooperative.post("/sites", site | {"district": name}).json["district"] == name
