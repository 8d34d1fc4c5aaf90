"""The money on its pages: from the sale to the receipt, for the cooperative, the registry and everybody."""

from io import BytesIO

import pytest

from credits.admin import premium as panel
from credits.ledger.serials import SerialRange, written
from credits.participants.models import Language
from credits.payments.premiums import following
from credits.web import premium as pages
from credits.web import premium_public, premium_statements
from tests import papers
from tests.documents import text_of
from tests.factories import AT, UserFactory
from tests.payments.house import House
from tests.payments.selling import sold
from tests.stage import Stage

SITE = "COD-KAM001"
MINE = f"/my/premium/{SITE}"
COMMITTEE = {"women": "3", "men": "4", "names": "Amina Kasongo\nJean Mukendi", "since": "2026-01-31", "key": "k1"}
MINUTE = {
    "said": "Helmets for all, and a teacher for the camp.",
    "health_and_safety": "300.00",
    "child_rights": "100",
    "decided_on": "2026-07-01",
    "women": "2",
    "men": "3",
    "key": "k2",
}
PAYOUT = {"amount": "400", "means": "mobile_money", "payee": "Amina Kasongo, 0811 222 333", "key": "k3"}
PAID = {"reference": "MP 2607.01", "paid_on": "2026-07-01", "key": "k4"}
USE = {"theme": "health_and_safety", "what": "20 helmets", "amount": "300", "bought_on": "2026-07-01", "key": "k5"}


@pytest.fixture
def house(app, session, monkeypatch, prepared_steps) -> House:
    for door in (pages, premium_public, premium_statements, panel):
        monkeypatch.setattr(door, "now", lambda: AT)
    made = House(
        Stage(session, app.extensions["evidence_files"], app.extensions["policy"], prepared=prepared_steps),
        committee=False,
    )
    made.files = app.extensions["premium_files"]
    return made


def jpeg(shade: int = 0) -> tuple[BytesIO, str]:
    return BytesIO(papers.photo_with_position() + bytes([shade])), "photo.jpg"


class TestPremium:
    def test_is_decided_paid_out_and_accounted_for_on_its_pages(self, client, session, house, words):
        stage = house.stage
        order = sold(stage, (house.made, 500, 50_000), open_to_public=True)
        client.sign_in(stage.manager)

        assert "Write down first who is in it." in words(client.get(MINE).text)
        for page, typed in (
            (f"{MINE}/committee", COMMITTEE),
            (f"{MINE}/decide/USD", MINUTE | {"file": jpeg(1)}),
            ("/my/premium/minutes/MINUTE-000001/payouts/new", PAYOUT),
        ):
            answer = client.post(page, data=typed)
            assert answer.status_code == 303, words(answer.text)
        client.sign_in(stage.issuer)
        assert "PAYOUT-000001" in client.get("/admin/premium").text
        answer = client.post("/admin/payouts/PAYOUT-000001", data=PAID | {"file": jpeg(1)})
        assert 'href="#file"' in answer.text, words(answer.text)
        answer = client.post("/admin/payouts/PAYOUT-000001", data=PAID | {"file": jpeg(2)})
        assert answer.location == "/admin/decisions/DECISION-000001", words(answer.text)
        client.sign_in(stage.colleague)
        approved = words(client.get("/admin/decisions/DECISION-000001").text)
        payment = (
            "USD 400.00",
            SITE,
            "0811 222 333",
            "Paid on 1 Jul 2026",
            "MP 2607.01 Decision",
            "Proof",
            "MINUTE-000001",
        )
        for told in (*payment, "Held by the site now USD 440.00", "Child rights USD 100.00", "Minute Look at it"):
            assert told in approved, approved
        assert 'href="/admin/payouts/PAYOUT-000001"' in client.get("/admin/decisions").text
        client.post("/admin/decisions/DECISION-000001", data={"step": "approve", "key": "k9"})
        client.sign_in(stage.manager)
        form = words(client.get("/my/premium/payouts/PAYOUT-000001/uses/new").text)
        assert "Health and safety: USD 300.00 left" in form
        assert "USD 100.00 left" in form
        files = {"receipt": jpeg(3), "photo": jpeg(4), "show_photo": "y"}
        answer = client.post("/my/premium/payouts/PAYOUT-000001/uses/new", data=USE | files)
        assert answer.status_code == 303, words(answer.text)

        assert "of premium are paid out" in words(client.get("/notices").text)
        mine = words(client.get("/my/premium/minutes/MINUTE-000001").text)
        assert [each for each in ("20 helmets", "Amina Kasongo, 0811 222 333", "MP260701") if each not in mine] == []
        client.delete_cookie("session")
        trail = words(client.get(f"/premium/{order.number}").text)
        for told in ("USD 500.00", "USD 440.00", "Helmets for all", "2 women, 3 men", "USD 400.00", "20 helmets"):
            assert told in trail, trail
        assert words(client.get(f"/premium/{house.made.number}-000000001").text).count("20 helmets") == 1
        for page in ("/premium", f"/sites/{SITE}/premium", f"/sites/{SITE}/premium.csv", f"/premium/{order.number}"):
            text = client.get(page).text
            assert [each for each in ("Kasongo", "0811", "MP2607") if each in text] == [], page
        assert "20 helmets" in client.get(f"/sites/{SITE}/premium.csv").text
        assert "from payment to payout, in the middle 0" in words(client.get("/premium").text)
        client.sign_in(stage.manager)
        statement = words(client.get(f"{MINE}/statement").text)
        assert "PAYOUT-000001 1 Jul 2026 Mobile money" in statement, statement
        assert "PAYOUT-000001:2026-07-01" in client.get(f"{MINE}/statement.csv").text
        client.delete_cookie("session")
        photo = client.get("/premium/papers/4/pages/1.jpg")
        assert photo.mimetype == "image/jpeg"
        assert [each for each in (b"GPS", b"Exif") if each in photo.data] == []
        assert client.get("/premium/papers/4").status_code == 200
        for private in ("/premium/papers/1", "/premium/papers/1/pages/1.jpg", "/premium/papers/3/pages/1.jpg"):
            assert client.get(private).status_code == 404
        house.must_be_sound()

    def test_shows_no_amount_of_a_buyer_who_keeps_it(self, client, house, words):
        order = sold(house.stage, (house.made, 500, 50_000))
        for who, sees in (
            (None, False),
            (UserFactory(), False),
            (house.stage.buyer, True),
            (house.stage.manager, True),
        ):
            client.delete_cookie("session")
            if who is not None:
                client.sign_in(who)
            text = words(client.get(f"/premium/{order.number}").text)
            assert ("500.00" in text) is sees
            assert ("not public" in text) is not sees
            assert "88 % to the site" in text

    def test_belongs_to_its_own_people(self, client, house):
        sold(house.stage, (house.made, 500, 50_000))
        house.committee()
        minute = house.decided(income=10_000)
        for who in (UserFactory(), house.stage.buyer, house.stage.lead):
            client.sign_in(who)
            for page in (MINE, f"{MINE}/statement", f"{MINE}/statement.csv", f"/my/premium/minutes/{minute.number}"):
                assert client.get(page).status_code == 404, page
            assert client.post(f"{MINE}/decide/USD", data=MINUTE).status_code == 404
        client.sign_in(house.stage.clerk)
        assert client.get(MINE).status_code == 200
        assert client.post(f"{MINE}/committee", data=COMMITTEE).status_code == 403

    def test_says_what_cannot_be_decided_and_keeps_what_was_typed(self, client, house, words):
        sold(house.stage, (house.made, 500, 50_000))
        house.committee()
        client.sign_in(house.stage.manager)
        for bent, said in (
            ({"health_and_safety": "440.001"}, "at most 2 decimals"),
            ({"health_and_safety": "abc", "child_rights": ""}, "plain amount"),
            ({"health_and_safety": "441"}, "can decide on USD 440.00"),
            ({"health_and_safety": "", "child_rights": "0"}, "at least one theme"),
            ({"women": "4"}, "no more can have been there"),
            ({"decided_on": "2027-01-01"}, "in the future"),
            ({"file": (BytesIO(b"a,b\n1,2\n"), "minute.csv")}, "a table is no signed paper"),
            ({"file": (BytesIO(b""), "")}, "Choose the file."),
        ):
            answer = client.post(f"{MINE}/decide/USD", data=MINUTE | {"file": jpeg(), "key": said} | bent)
            assert answer.status_code in (409, 422), said
            assert said in words(answer.text)
            assert "Helmets for all" in answer.text
            assert 'aria-invalid="true"' in answer.text
            assert ("at least one theme" in answer.text) is (said == "at least one theme")
            assert ("choose the file again" in answer.text) is (said != "Choose the file.")
        assert client.get(f"{MINE}/decide/EUR").status_code == 303

    def test_has_a_statement_to_read_to_print_and_to_open_in_a_spreadsheet(
        self, client, session, house, words, monkeypatch
    ):
        order = sold(house.stage, (house.made, 500, 50_000))
        house.committee()
        house.paid(house.decided(income=10_000), 10_000)
        house.stage.manager.language = Language.FR
        session.flush()
        client.sign_in(house.stage.manager)

        page = words(client.get(f"{MINE}/statement").text)
        for told in (
            house.stage.buyer.organisation.name,
            f"{order.number} 1er juil. 2026",
            "Relevé de la prime : Kamilombe",
            "0,5 crédit<br>500 kg 500,00 USD<br>à 500,00 USD le crédit",
            "100,00 USD<br>PAYOUT-000001, 1er juil. 2026",
            "Prime 440,00 USD Versé 100,00 USD",
            "Argent mobile",
        ):
            assert told in page, page
        lines = client.get(f"{MINE}/statement.csv?language=en").text.splitlines()
        assert lines[0].startswith("\ufefforder,paid_on,buyer,")
        assert lines[1].startswith(f"{order.number},2026-07-01,")
        assert lines[1].endswith("440.00,0.00,100.00,340.00,,PAYOUT-000001:2026-07-01")
        payouts = client.get(f"{MINE}/payouts.csv").text
        assert "PAYOUT-000001,2026-07-01,Argent mobile,MP2,MINUTE-000001,USD,100.00" in payouts
        printed = client.get(f"{MINE}/statement.pdf?language=sw")
        assert printed.mimetype == "application/pdf"
        text = text_of(printed.data)
        for told in ("Taarifa ya Malipo ya Eneo", "Pesa ya simu", "USD 340.00", "MINUTE-000001", "krediti 0.5"):
            assert told in text, text
        monkeypatch.setattr(premium_statements, "MOST_PRINTED", 0)
        short = text_of(client.get(f"{MINE}/statement.pdf").data)
        assert "Les 0 ventes les plus récentes sur 1" in short
        client.sign_in(house.stage.issuer)
        house.stage.clerk.language = Language.FR
        assert "Relevé de la prime" in client.get(f"{MINE}/statement").text

    def test_is_empty_before_anything_is_sold(self, client, house, words):
        assert "Nothing has been sold here yet." in words(client.get("/premium").text)
        assert "No credits of this site have been sold" in words(client.get(f"/sites/{SITE}/premium").text)
        serial = written(house.made.number, SerialRange(1, 5))
        assert "not sold through this registry" in words(client.get(f"/premium/{serial}").text)
        for unknown in ("ORDER-000009", "ORDER-9", "nothing", "ASMC-R-000009"):
            assert client.get(f"/premium/{unknown}").status_code in (404, 422)
        client.sign_in(house.stage.manager)
        assert "Nothing of this site was sold yet." in words(client.get(MINE).text)
        assert following.trails_of(house.session, house.made, [SerialRange(1, 5)]) == []

    def test_is_found_from_the_units_the_site_and_the_order(self, client, house, words):
        order = sold(house.stage, (house.made, 500, 50_000))
        serial = written(house.made.number, SerialRange(1, 5))

        for page in (f"/serials/{serial}", f"/issuances/{house.made.number}"):
            shown = client.get(page).text
            assert "Bought in 1 order." in words(shown)
            assert 'href="/premium/ASMC-' in shown
        assert "USD 440.00" in words(client.get(f"/sites/{SITE}").text)
        assert client.get(f"/search?q={order.number}").location == f"/premium/{order.number}"
