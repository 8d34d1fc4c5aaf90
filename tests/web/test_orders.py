import re
from dataclasses import replace

import pytest
from sqlalchemy import select

from credits.certificates.models import Certificate
from credits.ledger.models import AccountKind
from credits.ledger.serials import SerialRange, written
from credits.participants.models import Language, RoleName
from credits.payments import looking, receiving
from credits.payments.gateway import Disputed
from credits.payments.going_back.going_back_models import DisputeState
from credits.payments.models import Means, Order, OrderState
from credits.payments.receiving import Terms
from credits.registry.movements import DecisionKind
from credits.registry.operator import Operator
from credits.web import paging
from tests.documents import text_of
from tests.factories import UserFactory
from tests.market_stage import certify
from tests.payments.selling import checkout_of


@pytest.fixture
def offer(stage):
    return stage.for_sale(stage.issued())


@pytest.fixture
def typed(offer):
    return {
        "offer": offer.number,
        "quantity": "0.75",
        "use": "keep",
        "means": "bank_transfer",
        "name": "Nordlicht Batteries AB",
        "address": "Hamngatan 1\n111 47 Stockholm",
        "country": "DEU",
        "vat_number": "",
        "email": "invoices@example.org",
        "key": "key-of-this-form",
    }


@pytest.fixture
def claimed(typed):
    return typed | {
        "use": "retire",
        "beneficiary": "Nordlicht Batteries AB",
        "claim_country": "SWE",
        "identifier": "SE 556000-0001",
        "purpose": "Cells of model N1",
        "claim_from": "2026-01-01",
        "claim_to": "2026-12-31",
        "language": "fr",
    }


class TestNewOrder:
    def test_leads_from_the_offer_to_the_price_with_its_shares(self, client, session, stage, offer, typed, words):
        client.sign_in(stage.buyer)
        page = client.get(f"/orders/new?offer={offer.number}&quantity=0.75")
        assert page.status_code == 200
        assert 'value="0.75"' in page.text
        assert "(optional)" not in words(page.text).partition("How do you pay?")[0]
        taxed = client.get(f"/offers/{offer.number}?quantity=0.75&bill=DEU&vat=yes").text
        way_on = f"/orders/new?offer={offer.number}&amp;quantity=0.75&amp;bill=DEU&amp;vat=yes"
        assert way_on in taxed
        form = client.get(way_on.replace("&amp;", "&")).text
        assert 'selected value="DEU"' in form
        assert "without tax, because you have a VAT number" in words(form)
        answer = client.post("/orders/new", data=typed)
        assert (answer.status_code, answer.location) == (303, "/orders/ORDER-000001")
        seen = words(client.get(answer.location).text)

        assert "Nothing is reserved yet" in seen
        plain = seen.replace("\N{NO-BREAK SPACE}", " ")
        for figure in ("3,900.00", "3,432.00 to the site", "195.00", "273.00", "741.00", "4,641.00"):
            assert f"USD {figure}" in plain
        assert stage.session.get_one(Order, 1).state is OrderState.OPEN

    def test_says_what_is_wrong_and_keeps_what_was_typed(self, client, session, stage, typed, words):
        client.sign_in(stage.buyer)
        for number, (bent, said) in enumerate(
            (
                ({"quantity": "0"}, "cannot be counted in whole kg, at least 1"),
                ({"quantity": "2.6"}, "only 2.5 (2,500 kg) are left"),
                ({"quantity": "x"}, "Please write"),
                ({"country": ""}, "This field is required"),
                ({"vat_number": "DE1"}, "does not look like a VAT number"),
                ({"email": "no"}, "write an address such as"),
                ({"use": "retire"}, "Needed where the credits are retired at once"),
                ({"means": "stripe"}, "Not a valid choice"),
            )
        ):
            answer = client.post("/orders/new", data=typed | bent | {"key": f"try-{number}"})

            assert answer.status_code in (409, 422)
            assert said in words(answer.text)
            assert "Hamngatan 1" in answer.text
            assert f'value="{bent.get("quantity", typed["quantity"])}"' in answer.text
            (name,) = bent
            mark = {"quantity": "quantity-1-error", "use": "purpose-error-0"}.get(name, f"{name}-error-0")
            assert f'id="{mark}"' in answer.text
        assert session.query(Order).count() == 0

    def test_is_for_buyers_and_begins_at_an_offer(self, client, stage, offer):
        reader = UserFactory(organisation=stage.buyer.organisation, may=[RoleName.READER])
        assert client.sign_in(stage.manager).get(f"/orders/new?offer={offer.number}").status_code == 403
        assert client.sign_in(reader).get(f"/orders/new?offer={offer.number}").status_code == 403
        client.sign_in(stage.buyer)
        assert client.get("/orders/new").location == "/offers"
        assert client.get("/orders/new?offer=OFFER-999999").status_code == 404


class TestPayOrder:
    def test_reserves_and_says_where_to_send_the_money(self, client, session, stage, offer, typed, words):
        client.sign_in(stage.buyer).post("/orders/new", data=typed)
        answer = client.post("/orders/ORDER-000001/pay", data={"seen": "1", "key": "pay"})
        assert answer.status_code == 303
        seen = words(client.get("/orders/ORDER-000001?paid=1").text)

        assert "Reference ORDER-000001" in seen
        assert "Please send" in seen
        assert stage.balance(offer.issuance)[AccountKind.RESERVED] == 750
        paper = client.get("/orders/ORDER-000001/pro-forma-invoice.pdf")
        assert (paper.mimetype, paper.data[:5]) == ("application/pdf", b"%PDF-")
        assert client.get("/orders/ORDER-000001/invoice.pdf").status_code == 404
        assert "others may buy it" in words(client.get("/orders/ORDER-000001/cancel").text)
        cancelled = client.post("/orders/ORDER-000001/cancel")
        assert cancelled.status_code == 303
        seen = words(client.get("/orders/ORDER-000001").text)
        assert "You cancelled this order" in seen
        assert client.get("/orders/ORDER-000001/cancel").status_code == 409
        assert "Order the same again" in seen
        assert "Amount shown to everybody no Documents" in seen  # no certificate will ever say it
        assert stage.balance(offer.issuance) == {AccountKind.AVAILABLE: 2_500}

    def test_waits_for_word_of_the_provider_and_then_says_how_it_stands(self, client, stage, offer, words):
        stage.begun(stage.ordered((offer, 750), means=Means.STRIPE))
        stage.session.commit()
        client.sign_in(stage.buyer)
        back, later = (client.get(f"/orders/ORDER-000001?paid={looks}").text for looks in (1, 21))

        assert 'content="5;url=/orders/ORDER-000001?paid=2"' in back
        assert "Your payment is being confirmed" in words(back)
        assert "To the payment page" not in words(back)
        assert "http-equiv" not in later
        assert "To the payment page" in words(later)

    def test_refuses_a_price_that_changed_in_another_window(self, client, session, stage, typed, words):
        client.sign_in(stage.buyer).post("/orders/new", data=typed)
        changed = client.post(
            "/orders/ORDER-000001/change", data=typed | {"quantity": "1", "revision": "1", "key": "b"}
        )
        assert changed.status_code == 303
        stale = client.post("/orders/ORDER-000001/change", data=typed | {"quantity": "2", "revision": "1", "key": "c"})
        paid = client.post("/orders/ORDER-000001/pay", data={"seen": "1", "key": "pay"})

        assert (stale.status_code, paid.status_code) == (409, 409)
        for page in (stale, paid):
            assert "was changed meanwhile" in words(page.text)
        assert session.get_one(Order, 1).state is OrderState.OPEN


def refused_by_policy(app, client, claimed, monkeypatch):
    """The page of an order that a policy refuses which lets nobody retire beyond the declared use."""
    strict = replace(app.extensions["policy"], beyond_declared_use="refuse")
    with monkeypatch.context() as stricter:
        stricter.setitem(app.extensions, "policy", strict)
        refused = client.post("/orders/new", data=claimed | {"key": "refused"})
    assert refused.status_code == 409
    return refused.text


class TestOrder:
    def test_ends_with_the_certificate_of_what_was_retired_at_once(
        self, app, client, session, stage, claimed, words, monkeypatch
    ):
        operator = Operator("Registry GmbH", "Dorfplatz 1\n3011 Bern", "CHE", "CHE-1", "CHE123456788")
        monkeypatch.setitem(app.extensions, "policy", replace(app.extensions["policy"], operator=operator))
        client.sign_in(stage.buyer)
        use = {"mineral": "CO", "year": "2026", "product_line": "N1", "total": "0.62", "key": "use", "confirmed": "yes"}
        assert client.post("/uses/new", data=use).status_code == 303
        refused = words(refused_by_policy(app, client, claimed, monkeypatch))
        assert "620 kg are not covered yet: 750 kg are more than that" in refused
        client.post("/orders/new", data=claimed)
        beyond = "130 kg beyond what is declared: the certificate will show them as surplus"
        assert f"More than the declared use{beyond}" in words(client.get("/orders/ORDER-000001").text)
        client.post("/orders/ORDER-000001/pay", data={"seen": "1", "key": "pay"})
        seen = words(client.get("/orders/ORDER-000001").text)
        assert f"Declared use {beyond}" in seen
        day = session.get_one(Order, 1).placed_at.date()
        statement = {"amount": "4,641.00", "value_date": str(day), "reference": "TX 1", "reason": "Page 3"}
        client.sign_in(stage.issuer)
        refused = client.post(
            "/admin/orders/ORDER-000001/transfer-seen", data=statement | {"amount": "4641.01", "key": "a"}
        )
        assert "costs exactly USD 4,641.00" in words(refused.text)
        proposed = client.post("/admin/orders/ORDER-000001/transfer-seen", data=statement | {"key": "seen"})
        assert proposed.location == "/admin/decisions/DECISION-000001"
        client.sign_in(stage.colleague)
        assert "Confirm a transfer" in client.get(proposed.location).text
        approved = client.post(proposed.location, data={"step": "approve", "key": "approve"})
        assert approved.status_code == 303
        assert "ORDER-000001" in client.get("/admin/orders").text
        seen = words(client.get("/admin/orders/ORDER-000001").text)
        assert "BANK:TX1" in seen

        certificate = session.scalars(select(Certificate)).one()
        assert certificate.language is Language.FR  # as was ordered, whatever the buyer's own
        assert "Premium to the site not public" in words(client.get(f"/certificates/{certificate.number}").text)
        client.sign_in(stage.buyer)
        seen = words(client.get("/orders/ORDER-000001").text)
        assert "Retired in your name" in seen
        assert "declared use" not in seen  # now the certificate says it
        assert "Serials ASMC-" in seen
        assert "What your money paid for" in seen
        serials = re.search(r"/serials/[^\"]+", client.get("/orders/ORDER-000001").text)[0]
        told = ("Retired for good", "all of these", "Set apart by", "What it stands for", "Other credits of this")
        shown = words(client.get(serials).text)
        assert [shown.find(each) for each in told] == sorted(shown.index(each) for each in told)
        assert certificate.number in seen
        assert client.get(f"/certificates/{certificate.number}").status_code == 200
        invoice = text_of(client.get("/orders/ORDER-000001/invoice.pdf").data)
        for told in (
            "Registry GmbH Dorfplatz 1 3011 Bern",
            "VAT number: CHE123456788",
            "Nothing is left to pay.",
            certificate.number,
        ):
            assert told in invoice, invoice
        assert "ORDER-000001" in client.get("/orders?state=delivered").text
        stage.decided(DecisionKind.ANNULMENT, certificate.number)
        for person, page in ((stage.buyer, "/orders/ORDER-000001"), (stage.issuer, "/admin/orders/ORDER-000001")):
            assert f"{certificate.number} Annulled" in words(client.sign_in(person).get(page).text), page
        assert client.get("/orders.csv").text.splitlines()[1].startswith("ORDER-000001,")

    def test_is_nobody_else_s_affair(self, client, stage, offer):
        stage.bought((offer, 100))

        assert client.sign_in(stage.second).get("/orders/ORDER-000001").status_code == 404
        assert client.get("/orders/ORDER-000001/invoice.pdf").status_code == 404
        assert "Nothing was ordered yet" in client.get("/orders").text

    def test_shows_the_seller_who_bought_and_at_what_price(self, client, stage, offer, words):
        stage.bought((offer, 100))
        stage.begun(stage.ordered((offer, 50)))
        seen = words(client.sign_in(stage.manager).get("/sold").text).replace("\N{NO-BREAK SPACE}", " ")
        assert "Delivered so far, before tax USD 520.00 Premium of it to your sites USD 457.60" in seen
        assert "not paid yet" in seen
        awaited, delivered = client.get("/sold.csv").text.splitlines()[1:]
        assert delivered.endswith(",CO,0.1,USD,5200.00,520.00,457.60")
        assert awaited.startswith("ORDER-000002,,awaiting_payment,")
        assert awaited.endswith(",260.00,")

        assert stage.buyer.organisation.name in seen
        assert "USD 520.00" in seen
        assert "USD 457.60" in seen  # 88 % of it
        assert client.get("/orders/ORDER-000001").status_code == 404


class TestLists:
    @pytest.fixture
    def tell(self, stage):
        """What the provider tells of a payment that the payer's bank disputes."""

        def told(payment, *states):
            of = [Disputed(reference=f"du_{payment.id}", amount=1_000, state=state) for state in states]
            names = {"reference": f"cs_{payment.id}", "payment": f"pi_{payment.id}"}
            seen = replace(checkout_of(payment.order, payment), disputes=tuple(of), **names)
            asked = {"payment": payment, "seen": seen, "terms": Terms(False, stage.policy, certify), "at": stage.at}
            receiving.settle_seen(stage.session, **asked)
            stage.session.commit()

        return told

    @pytest.mark.parametrize(
        "person, address, nothing",
        [
            ("buyer", "/orders", "No payment of yours was charged back."),
            ("issuer", "/admin/orders", "There is no such order."),
        ],
    )
    def test_are_narrowed_to_what_the_payer_s_bank_wants_or_has(
        self, client, stage, offer, words, tell, monkeypatch, person, address, nothing
    ):
        stage.bought((offer, 100))
        payments = [stage.begun(stage.ordered((offer, 100), means=Means.STRIPE)) for _ in "12"]
        for payment in payments:
            tell(payment)
            tell(payment, DisputeState.OPEN)
        client.sign_in(getattr(stage, person))

        def listed(which):
            page = client.get(f"{address}?state={which}").text
            return re.findall(r">(ORDER-[0-9]+)<", page), words(page)

        numbers, seen = listed("disputed")
        assert numbers == ["ORDER-000003", "ORDER-000002"]
        assert "Delivered Disputed" in seen
        numbers, seen = listed("charged_back")
        assert numbers == []
        assert nothing in seen
        tell(payments[0], DisputeState.LOST)
        numbers, seen = listed("charged_back")
        assert numbers == ["ORDER-000002"]
        assert "Delivered Charged back" in seen  # in part
        for pages, name in ((paging, "ROWS"), (looking, "PAGE")):
            monkeypatch.setattr(pages, name, 1)
        tell(payments[1], DisputeState.LOST)
        page = client.get(f"{address}?state=charged_back&page=2").text
        assert ("ORDER-000002" in page, "ORDER-000003" in page) == (True, False)
        assert '<option value="charged_back" selected>' in page
        assert "state=charged_back&amp;page=1" in page


class TestRefund:
    def test_is_proposed_decided_and_sent_by_the_bank(self, client, stage, offer, words):
        stage.bought((offer, 100))
        client.sign_in(stage.issuer)
        asked = {"reason": "Ordered twice.", "key": "refund"}
        proposed = client.post("/admin/orders/ORDER-000001/refund", data=asked)
        assert proposed.status_code == 303
        waits = "A refund waits for a second person"
        assert waits in client.sign_in(stage.buyer).get("/orders/ORDER-000001").text
        assert "Tax, 0 % USD 0.00<br>none is charged on bills to Sweden" in words(
            client.get("/orders/ORDER-000001").text
        )
        client.sign_in(stage.colleague)
        asked = words(client.get(proposed.location).text)
        goes_back = ("0.1 credits 100 kg", f"{offer.issuance.number}-000000001-000000100", stage.coop.name, "Kamilombe")
        for told in (*goes_back, "Paid on 1 Jul 2026", "payment LINE ORDER-000001", "USD 457.60 USD 457.60"):
            assert told in asked, asked
        client.post(proposed.location, data={"step": "approve", "key": "approve"})
        assert "Money to be sent back" in client.get("/admin/orders").text
        assert "1 refund to send back by bank" in words(client.get("/start").text)
        sent = client.post("/admin/orders/ORDER-000001/refunds/1/sent", data={"reference": "OUT 1"})
        assert sent.status_code == 303
        seen = words(client.get("/admin/orders/ORDER-000001").text)
        assert "BANK:OUT1" in seen
        assert "refund" not in client.get("/start").text

        client.sign_in(stage.buyer)
        seen = words(client.get("/orders/ORDER-000001").text)
        assert "Ordered twice." in seen
        assert waits not in seen
        assert "the money went back to the buyer" in seen
        assert "not public" not in seen
        note = text_of(client.get("/orders/ORDER-000001/credit-note.pdf").data)
        for told in ("All of invoice INVOICE-ORDER-000001 of", "Total credited USD −520.00", "the buyer: USD 520.00."):
            assert told in note, note
        assert "Received with thanks" not in note
        assert client.get("/admin/orders").status_code == 403
        sold, beside = (written(offer.issuance.number, SerialRange(*ends)) for ends in ((1, 100), (101, 2_500)))
        history = words(client.get(f"/serials/{sold}").text)
        buyer = stage.buyer.organisation.name
        assert f"Went back from {buyer} to {stage.coop.name}, refunded" in history
        assert "Transferred by" not in history
        assert "Sold, and the money went back to the buyer." in history
        assert "Some of this was sold, and the money" in words(client.get(f"/issuances/{offer.issuance.number}").text)
        assert "Nothing of this was sold" in words(client.get(f"/serials/{beside}").text)
