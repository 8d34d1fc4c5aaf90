import json
from datetime import timedelta

import pytest
from asn1crypto import core
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import CertificateBuilder, Name, NameAttribute
from cryptography.x509.oid import NameOID
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper

from credits.certificates.checks import signature_checking, stamp_checking
from credits.certificates.checks.checking import Outcome, Result, check
from credits.certificates.checks.signature_checking import Unsound, gap_in, message_in
from credits.certificates.checks.signed_message import only, parts_in, put_together, taken_apart, value
from credits.certificates.press import pressed
from credits.certificates.verify import as_plain, in_words, summary
from credits.journal.canonical import encode
from tests.certificates.checks.bent import with_message
from tests.certificates.genuine import BEGUN, SIGNED, keys_of
from tests.certificates.told import told_facts


@pytest.fixture(scope="module")
def stamped(registry):
    """A certificate with a time stamp of that moment."""
    key = rsa.generate_private_key(65537, 2048)
    secret = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

    def at(moment, called="Time Stamps", version=b"\x02") -> bytes:
        name = Name([NameAttribute(NameOID.COMMON_NAME, called)])
        made = CertificateBuilder(name, name, key.public_key(), 1, BEGUN, BEGUN + timedelta(days=900))
        der = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
        certificate = asn1.Certificate.load(der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01" + version))
        server = DummyTimeStamper(
            certificate, asn1_keys.PrivateKeyInfo.load(secret), fixed_dt=moment, override_md="sha256"
        )
        frozen = encode(told_facts())
        (way,), proof = registry.proven([frozen], about="ASMC-R-000017")
        return pressed(frozen, inclusion=way, proof=proof, seal=registry.seal, at=SIGNED, stamper=server)

    return at


class TestStampOn:
    def test_tells_when_and_by_whom_and_vouches_for_nobody(self, registry, stamped):
        verdict = check(stamped(SIGNED + timedelta(seconds=3)), keys_of(registry))

        assert verdict.outcome is Outcome.GENUINE
        assert verdict.checks["stamp"].result is Result.OK
        assert "2026-07-31 12:00:03 UTC by CN=Time Stamps, for whom the registry" in verdict.checks["stamp"].text
        assert "stamp" not in check(registry.certificate(), keys_of(registry)).checks

    def test_fails_where_it_is_of_another_day(self, registry, stamped):
        verdict = check(stamped(SIGNED + timedelta(days=3)), keys_of(registry))

        assert [each.name for each in verdict.failures] == ["stamp"]

    @pytest.mark.parametrize(
        "time", [b"20260731120000", b"00000731120000Z", b"20260731120000+0000", b"99991231235959-2359"]
    )
    def test_fails_in_words_where_its_time_is_not_in_utc(self, registry, stamped, monkeypatch, time):
        monkeypatch.setattr(core.GeneralizedTime, "set", lambda self, _: setattr(self, "contents", time))
        verdict = check(stamped(SIGNED), keys_of(registry))

        assert (verdict.outcome, [each.name for each in verdict.failures]) == (Outcome.NOT_GENUINE, ["stamp"])

    def test_fails_in_words_where_the_certificate_of_its_server_is_of_a_version_that_there_is_not(
        self, registry, stamped
    ):
        verdict = check(stamped(SIGNED, version=b"\x55"), keys_of(registry))

        assert (verdict.outcome, [each.name for each in verdict.failures]) == (Outcome.NOT_GENUINE, ["stamp"])

    def test_fails_where_it_is_not_in_its_one_form(self, registry, stamped):
        """What is read in many forms takes hours to read in some of them."""
        content = stamped(SIGNED)
        told = taken_apart(message_in(content, gap_in(content)))
        (whole,) = parts_in(told.unsigned)
        kind, values = parts_in(only(whole.content, 0x30).content)
        (token,) = parts_in(values.content)
        (certificate,) = told.certificates
        for bent in (
            b"\x30\x80" + token.content + b"\0\0",  # without a length, until two zeros
            b"\x30\x83\0" + token.whole[2:],  # a length that could be shorter
            token.whole + token.whole,
        ):
            unsigned = value(0xA1, value(0x30, kind.whole, value(0x31, bent)))
            message = put_together(certificate, told.attributes, told.signature, unsigned)

            assert [each.name for each in check(with_message(content, message), keys_of(registry)).failures] == [
                "stamp"
            ]

    def test_shows_a_name_that_would_write_lines_of_its_own_in_one_line(self, registry, stamped):
        verdict = check(stamped(SIGNED, "A\x1b[2J\r\n\u202eGENUINE"), keys_of(registry))

        assert r"CN=A\x1b[2J\r\n\u202eGENUINE, for whom" in verdict.checks["stamp"].text
        assert "\x1b" not in in_words(verdict)
        assert "\u202e" not in json.dumps(as_plain(verdict), ensure_ascii=False)

    def test_leaves_open_what_is_made_in_a_way_that_it_does_not_know(self, registry, stamped, monkeypatch):
        monkeypatch.setattr(stamp_checking, "HASHES", {})
        verdict = check(stamped(SIGNED), keys_of(registry))

        assert (verdict.outcome, verdict.failures) == (Outcome.UNKNOWN, [])
        assert summary(verdict).startswith("COULD NOT TELL")

    def test_fails_at_every_changed_byte(self, registry, stamped):
        content, (key,) = stamped(SIGNED), keys_of(registry).documents
        gap = gap_in(content)
        message = message_in(content, gap)
        alone = len(message_in(registry.certificate(), gap_in(registry.certificate()))) - 90

        def holds(message: bytes) -> bool:
            try:
                stamp_checking.stamp_on(message, SIGNED)
                signature_checking.must_be_signed(content, gap, message, key)
            except (Unsound, stamp_checking.Unfamiliar):
                return False
            return True

        def bent(place: int) -> bytes:
            return message[:place] + bytes([message[place] ^ 1 << place % 8]) + message[place + 1 :]

        assert holds(message)
        assert [place for place in range(alone, len(message)) if holds(bent(place))] == []
