import pytest
from sqlalchemy import func, select

from credits.ledger.models import TERMINAL, Account, AccountKind
from credits.registry.accounts import account_of, accounts_of, owners, registry_account
from tests.factories import OrganisationFactory


class TestAccountOf:
    def test_opens_an_account_once(self, session):
        organisation = OrganisationFactory()
        before = session.scalars(select(func.count()).select_from(Account)).one()
        ids = {account_of(session, organisation, AccountKind.AVAILABLE) for _ in range(3)}

        assert len(ids) == 1
        assert session.scalars(select(func.count()).select_from(Account)).one() == before + 1

    def test_keeps_kinds_and_organisations_apart(self, session):
        one, two = OrganisationFactory(), OrganisationFactory()
        pending = account_of(session, one, AccountKind.PENDING)

        assert pending != account_of(session, two, AccountKind.PENDING)
        assert accounts_of(session, one) == {pending: AccountKind.PENDING}
        assert owners(session, [pending])[pending].organisation is one


class TestRegistryAccount:
    @pytest.mark.parametrize("kind", [*TERMINAL, AccountKind.BUFFER])
    def test_stands_from_the_first_day(self, session, kind):
        account = session.get_one(Account, registry_account(session, kind))

        assert account.kind is kind
