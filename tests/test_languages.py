import re

import pytest

from credits import languages
from credits.participants.models import Language
from tests.factories import UserFactory


@pytest.fixture
def spoken(app, monkeypatch):
    """As if there were a catalogue of translations for every language."""
    monkeypatch.setitem(app.extensions, "languages", languages.NAMES)


class TestLanguage:
    def test_is_english_as_long_as_there_is_no_catalogue(self, client):
        person = UserFactory(language=Language.PT)

        page = client.sign_in(person).get("/account?lang=sw", headers={"Accept-Language": "fr"}).text

        assert '<html lang="en">' in page
        assert 'class="languages"' not in page
        assert person.language is Language.PT

    def test_follows_the_browser(self, client, spoken):
        page = client.get("/login", headers={"Accept-Language": "de, es;q=0.8, fr;q=0.5"}).text

        assert '<html lang="es">' in page

    def test_follows_the_person(self, client, spoken):
        person = UserFactory(language=Language.PT)

        assert '<html lang="pt">' in client.sign_in(person).get("/account").text

    def test_is_kept_once_chosen(self, client, spoken):
        client.sign_in(UserFactory(language=Language.PT)).get("/account?lang=sw")

        assert '<html lang="sw">' in client.get("/account").text

    def test_is_kept_for_the_next_visit(self, client, spoken):
        chosen = client.get("/login?lang=fr")

        later = client.application.test_client()
        later.set_cookie("lang", re.search(r"lang=(\w+)", chosen.headers["Set-Cookie"])[1])
        assert '<html lang="fr">' in later.get("/login").text

    @pytest.mark.parametrize("lang", ["tlh", "", "../../etc", "fr-FR"])
    def test_is_english_where_nothing_is_known(self, client, spoken, lang):
        page = client.get("/login", query_string={"lang": lang}).text

        assert '<html lang="en">' in page
