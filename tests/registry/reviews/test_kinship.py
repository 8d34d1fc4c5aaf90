import pytest

from credits.registry.reviews.kinship import address_key, alike, name_key, number_key


class TestAddressKey:
    @pytest.mark.parametrize(
        "one, other",
        [
            ("amina@example.org", "Amina+audit@Example.org"),
            ("a.mina@gmail.com", "amina@googlemail.com".replace("googlemail", "gmail")),
        ],
    )
    def test_knows_one_mailbox_under_two_addresses(self, one, other):
        assert address_key(one) == address_key(other)

    def test_keeps_dots_where_they_tell_mailboxes_apart(self):
        assert address_key("a.mina@example.org") != address_key("amina@example.org")


class TestNameKey:
    def test_sets_accents_capitals_and_order_aside(self):
        assert name_key("ILUNGA, Chantál") == name_key("Chantal Ilunga") != name_key("Chantal Kabamba")


class TestNumberKey:
    def test_sets_marks_aside(self):
        assert number_key("CD/LSH/RCCM/14-B-1561") == number_key("cd lsh rccm 14 b 1561")


class TestAlike:
    @pytest.mark.parametrize("other", ["GÉCAMINES SARL", "Société Gécamines", "gecamines s.a."])
    def test_sets_legal_forms_aside(self, other):
        assert alike("Gécamines S.A.", other) == 1

    def test_finds_a_slip_of_the_pen(self):
        assert 0.88 <= alike("Great Lakes Assurance", "Great Lakes Asurance") < 1

    @pytest.mark.parametrize("other", ["Great Rivers Audit", "Mutoshi 2", ""])
    def test_tells_others_apart(self, other):
        assert alike("Mutoshi 3", other) < 0.88
