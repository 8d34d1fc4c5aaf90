from datetime import date, timedelta
from threading import Thread

import pytest
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.errors import CreditsError, Missing, NotAllowed
from credits.ledger.claims import KeyReused
from credits.ledger.posting import BadQuantity
from credits.participants.models import Kind, Kyc, Organisation, User
from credits.payments.models import Currency, Offer, OfferState
from credits.payments.offering import catalogue, filling, floors, offers
from credits.payments.offering.catalogue import Sorting, Wish
from credits.payments.offering.filling import NoMineralOrCurrency, TooLittleOnOffer
from credits.payments.offering.floors import BelowFloor, NoFloor
from credits.payments.offering.offers import MoreThanLeft, NoSuchOffer, NotItsProducer, OfferClosed
from credits.payments.prices import BadAmount, BadPrice, Split
from credits.registry.minerals import UnknownMineral
from credits.registry.models import Issuance
from credits.registry.transfer import Suspended
from credits.registry.validity import Expired
from tests.factories import UserFactory
from tests.payments.offering.test_floors import told_of

USD, EUR = Currency.USD, Currency.EUR
# Days at which each of several batches of one site was produced.
EARLY = {"produced_from": date(2026, 1, 5), "produced_to": date(2026, 1, 30)}
LATE = {"produced_from": date(2026, 6, 1), "produced_to": date(2026, 6, 20)}


@pytest.fixture
def issuance(stage):
    return stage.issued()


@pytest.fixture
def listed(stage):
    """The numbers of the offers that the catalogue has, in its order, and what is left of each."""

    def look(sorting=Sorting.NEWEST, at=stage.at, **wish):
        wanted = catalogue.offers_like(Wish(**wish), sorting, stage.policy, at.date())
        found = stage.session.scalars(wanted).all()
        left = catalogue.left(stage.session, found)
        return [(offer.number, left[offer.id]) for offer in found]

    return look


class TestOffer:
    def test_lets_everybody_see_what_is_for_sale_once_a_key(self, stage, issuance, listed):
        made = stage.for_sale(issuance, 1_500, key="k")
        assert stage.for_sale(issuance, 1_500, key="k") is made
        with pytest.raises(KeyReused):
            stage.for_sale(issuance, 1_500, 530_000, key="k")

        assert listed() == [(made.number, 1_500)]
        facts = {"seller": stage.coop.number, "issuance": issuance.number, "quantity": 1_500}
        assert told_of(stage.session, made.number) == [("offer.made", facts | {"price": 520_000, "currency": "USD"})]
        stage.must_be_sound()

    def test_refuses_what_cannot_be_sold(self, stage, issuance):
        for bent, why in (
            ({"price": 0}, BadPrice),
            ({"price": -1}, BadPrice),
            ({"price": 5_200.0}, BadPrice),
            ({"price": True}, BadPrice),
            ({"price": 499_999}, BelowFloor),
            ({"price": 10**15}, BadAmount),
            ({"currency": EUR}, NoFloor),
            ({"quantity": 0}, BadQuantity),
            ({"quantity": 2_501}, MoreThanLeft),
        ):
            with pytest.raises(why):
                stage.for_sale(issuance, **bent)

        stage.for_sale(issuance, 1_500)
        with pytest.raises(MoreThanLeft, match="2,500 kg are available, and 1,500 kg of them are on offer already"):
            stage.for_sale(issuance, 1_001)
        stage.for_sale(issuance, 1_000)

    def test_refuses_suspended_and_expired_credits(self, stage, issuance):
        with pytest.raises(Expired):
            stage.for_sale(issuance, at=stage.at + timedelta(days=1_200))
        stage.suspended(issuance)
        with pytest.raises(Suspended):
            stage.for_sale(issuance)

    def test_is_for_the_producer_of_the_credits(self, stage, issuance):
        other = UserFactory(kind=Kind.COOPERATIVE)
        stage.handed_over(issuance, 500, to=other)
        with pytest.raises(NotItsProducer):
            stage.for_sale(issuance, 500, seller=other.organisation, by=other)
        stage.handed_over(issuance, 500)
        with pytest.raises(NotAllowed, match="by their producers alone"):
            stage.for_sale(issuance, 500, seller=stage.buyer.organisation, by=stage.buyer)

    def test_is_made_by_a_manager_the_group_or_the_registry(self, stage, issuance):
        group = UserFactory(kind=Kind.GROUP_MANAGER)
        stage.coop.group_manager = group.organisation
        for by in (stage.manager, group, stage.issuer):
            assert stage.for_sale(issuance, 100, by=by).offered_by is by
        with pytest.raises(NotAllowed):
            stage.for_sale(issuance, 100, by=stage.clerk)
        for stranger in (stage.buyer, UserFactory(kind=Kind.COOPERATIVE), stage.lead):
            with pytest.raises(Missing):
                stage.for_sale(issuance, 100, by=stranger)
        stage.coop.kyc, stage.coop.kyc_reason = Kyc.SUSPENDED, "Why."
        with pytest.raises(NotAllowed):
            stage.for_sale(issuance, 100, by=stage.issuer)

    def test_stays_as_it_was_made(self, stage, issuance):
        made = stage.for_sale(issuance)
        for values in ({"price": 600_000}, {"currency": EUR}, {"quantity": 9_999}, {"remaining": 2_501}):
            with pytest.raises(DBAPIError), stage.session.begin_nested():
                stage.session.execute(update(Offer).where(Offer.id == made.id).values(**values))
        row = {name: getattr(made, name) for name in ("seller_id", "issuance_id", "mineral_code", "offered_by_id")}
        row |= {"quantity": 1, "remaining": 1, "state": "open", "offered_at": stage.at}
        for price, currency in ((499_999, USD), (10**9, EUR)):
            with pytest.raises(DBAPIError, match="below the floor"), stage.session.begin_nested():
                stage.session.execute(Offer.__table__.insert().values(**row, price=price, currency=currency))

    def test_of_two_at_once_only_one_gets_the_last_credits(self, stage, issuance, engine):
        stage.for_sale(issuance, 500)
        issuance_id, manager_id, coop_id = issuance.id, stage.manager.id, stage.coop.id
        stage.session.commit()
        made, refused = [], []

        def sell(number):
            with Session(engine) as own:
                begin_writing(own)
                try:
                    asked = {"quantity": 1_500, "price": 520_000, "currency": USD, "policy": stage.policy}
                    found = own.get_one(Issuance, issuance_id)
                    by = own.get_one(User, manager_id)
                    asked |= {"seller": own.get_one(Organisation, coop_id), "issuance": found, "by": by}
                    made.append(offers.offer(own, **asked, key=f"at-once-{number}", at=stage.at).id)
                    own.commit()
                except MoreThanLeft as refusal:
                    refused.append(refusal)

        threads = [Thread(target=sell, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

        assert (len(made), len(refused)) == (1, 3)


class TestAFloorThatIsRaisedMeanwhile:
    """Who offers and who sets the floor wait for each other: no offer below it is left open."""

    @pytest.fixture
    def meanwhile(self, stage, engine):
        """Takes two steps, each in a transaction of its own: the second begins before the first has committed."""
        ids = {Issuance: stage.issued().id, Organisation: stage.coop.id}
        people = {"seller": stage.manager.id, "issuer": stage.issuer.id}
        floors.seed(stage.session, by=stage.issuer, at=stage.at)
        stage.session.commit()

        def take(step, session, **asked):
            by = session.get_one(User, people["issuer" if step is floors.set_floor else "seller"])
            if step is offers.offer:
                asked |= {"issuance": session.get_one(Issuance, ids[Issuance]), "quantity": 100}
                asked |= {"seller": session.get_one(Organisation, ids[Organisation]), "policy": stage.policy}
            else:
                asked |= {"mineral_code": "CO", "source": "The board."}
            return step(session, **asked, currency=USD, by=by, key=f"of-{asked['price']}", at=stage.at).id

        def later(step, price, outcome):
            with Session(engine) as own:
                begin_writing(own)
                try:
                    outcome.append(take(step, own, price=price))
                    own.commit()
                except CreditsError as refusal:
                    outcome.append(refusal)

        def run(first, its_price, second, price):
            outcome = []
            with Session(engine) as own:
                begin_writing(own)
                made = take(first, own, price=its_price)
                thread = Thread(target=later, args=(second, price, outcome))
                thread.start()
                thread.join(0.3)
                own.commit()
            thread.join(30)
            return made, outcome[0]

        return run

    def test_refuses_an_offer_that_waited_for_it(self, meanwhile):
        _, refusal = meanwhile(floors.set_floor, 600_000, offers.offer, 599_999)

        assert isinstance(refusal, BelowFloor)

    def test_closes_an_offer_that_it_waited_for(self, stage, meanwhile):
        made, _ = meanwhile(offers.offer, 599_999, floors.set_floor, 600_000)

        assert stage.session.get_one(Offer, made).state is OfferState.CLOSED


class TestClose:
    def test_sells_no_more(self, stage, issuance, listed):
        made = stage.for_sale(issuance)
        offers.close(stage.session, offer=made, by=stage.manager, at=stage.at)

        assert listed() == []
        assert made.state is OfferState.CLOSED
        with pytest.raises(OfferClosed):
            offers.close(stage.session, offer=made, by=stage.manager, at=stage.at)
        assert told_of(stage.session, made.number)[-1] == ("offer.closed", {"remaining": 2_500})
        made = stage.for_sale(issuance, 1_000)
        for by in (stage.clerk, stage.buyer):
            with pytest.raises(CreditsError):
                offers.close(stage.session, offer=made, by=by, at=stage.at)


class TestOffersOf:
    def test_shows_each_their_own_and_the_registry_all(self, stage, issuance):
        made = stage.for_sale(issuance)
        seen = {
            by: list(stage.session.scalars(offers.offers_of(by))) for by in (stage.clerk, stage.issuer, stage.buyer)
        }

        assert list(seen.values()) == [[made], [made], []]
        assert offers.own_offer(stage.session, stage.clerk, made.number) is made
        with pytest.raises(NoSuchOffer):
            offers.own_offer(stage.session, stage.buyer, made.number)
        for number in ("OFFER-000000", "OFFER-1", f"OFFER-{made.id:07d}", "x"):
            with pytest.raises(NoSuchOffer):
                offers.offer_numbered(stage.session, number)


class TestCatalogue:
    def test_has_what_is_still_available(self, stage, issuance, listed):
        made = stage.for_sale(issuance)
        stage.offered(issuance, 1_000)
        assert listed() == [(made.number, 1_500)]
        stage.held(issuance)
        assert listed() == []

    def test_has_nothing_that_cannot_be_bought(self, stage, issuance, listed):
        stage.for_sale(issuance)
        assert listed(at=stage.at + timedelta(days=1_200)) == []
        stage.coop.kyc, stage.coop.kyc_reason = Kyc.SUSPENDED, "Why."
        assert listed() == []
        stage.coop.kyc, stage.coop.kyc_reason = Kyc.APPROVED, None
        assert len(listed()) == 1
        stage.suspended(issuance)
        assert listed() == []

    def test_is_filtered_and_sorted(self, stage, listed):
        stage.floor("CO", 400_000, EUR)
        site = stage.site()
        late, early = stage.issued(site, **LATE), stage.issued(site, **EARLY)
        dear, cheap = stage.for_sale(early, 500, 700_000), stage.for_sale(late, 500, 520_000)
        euro = stage.for_sale(late, 500, 450_000, currency=EUR)
        ids = {dear.number: "dear", cheap.number: "cheap", euro.number: "euro"}
        names = lambda **asked: [ids[number] for number, _ in listed(**asked)]  # noqa: E731

        assert names() == ["euro", "cheap", "dear"]
        assert names(sorting=Sorting.CHEAPEST) == ["euro", "cheap", "dear"]
        assert names(sorting=Sorting.OLDEST) == ["dear", "euro", "cheap"]
        assert names(currency=USD) == ["cheap", "dear"]
        assert names(mineral_code="AU") == names(country="PER") == names(vintage=2025) == names(level="none") == []
        assert len(names(mineral_code="CO", country="COD", vintage=2026, level=early.facts["assurance"]["level"])) == 3
        assert names(text="kamilOMBE") == names(text=stage.coop.name) == names(text="kolwezi") == names()
        assert names(text=dear.number.lower()) == ["dear"]
        assert names(text="%") == []
        found = catalogue.found_in(stage.session, stage.policy, stage.at.date())
        assert (found.minerals, found.currencies, found.countries, found.vintages) == (
            ["CO"], ["EUR", "USD"], ["COD"], [2026],
        )  # fmt: skip
        of_issuance = catalogue.of_issuance(stage.session, late, stage.policy, stage.at.date(), 2)
        assert [ids[offer.number] for offer in of_issuance] == ["euro", "cheap"]


class TestFill:
    @pytest.fixture
    def fill(self, stage):
        def fill(**bent):
            asked = {"wish": Wish("CO", USD), "quantity": 2_500, "sorting": Sorting.OLDEST, "policy": stage.policy}
            asked |= {"buyer": stage.buyer.organisation}
            lines = filling.fill(stage.session, **asked | {"today": stage.at.date()} | bent)
            return [(line.offer.number, line.quantity, line.amount) for line in lines]

        return fill

    def test_takes_the_oldest_or_the_cheapest_first(self, stage, fill):
        site = stage.site()
        early, late = stage.issued(site, **EARLY), stage.issued(site, **LATE)
        dear, cheap = stage.for_sale(early, 2_000, 600_000), stage.for_sale(late, 1_500)

        assert fill() == [(dear.number, 2_000, 1_200_000), (cheap.number, 500, 260_000)]
        assert fill(sorting=Sorting.CHEAPEST) == [(cheap.number, 1_500, 780_000), (dear.number, 1_000, 600_000)]
        assert fill(quantity=1) == [(dear.number, 1, 600)]
        lines = [filling.line_of(dear, 1), filling.line_of(cheap, 3)]
        assert filling.shares_of(lines, stage.policy.market) == Split(528 + 1_373, 30 + 78, 42 + 109)

    def test_counts_what_stands_on_two_offers_once(self, stage, issuance, fill):
        first, second = stage.for_sale(issuance, 1_500), stage.for_sale(issuance, 1_000)
        stage.offered(issuance, 500)

        assert fill(quantity=2_000) == [(first.number, 1_500, 780_000), (second.number, 500, 260_000)]
        with pytest.raises(TooLittleOnOffer, match="Only 2,000 kg of cobalt that fit are on offer in USD"):
            fill()

    def test_takes_only_what_fits(self, stage, issuance, fill):
        stage.for_sale(issuance)
        for bent in (
            {"wish": Wish("AU", USD)},
            {"wish": Wish("CO", EUR)},
            {"wish": Wish("CO", USD, vintage=2025)},
            {"wish": Wish("CO", USD, country="PER")},
            {"buyer": stage.coop},
        ):
            with pytest.raises(TooLittleOnOffer):
                fill(**bent)
        for bent, why in (
            ({"quantity": 0}, BadQuantity),
            ({"wish": Wish("XX", USD)}, UnknownMineral),
            ({"wish": Wish("CO")}, NoMineralOrCurrency),
        ):
            with pytest.raises(why):
                fill(**bent)

    def test_makes_no_order_of_more_lines_than_one_has(self, stage, issuance, fill, monkeypatch):
        for _ in range(3):
            stage.for_sale(issuance, 100)
        monkeypatch.setattr(filling, "MOST_LINES", 2)
        monkeypatch.setattr(filling, "AT_ONCE", 2)

        assert len(fill(quantity=200)) == 2
        with pytest.raises(TooLittleOnOffer, match="would take 3 offers"):
            fill(quantity=300)
