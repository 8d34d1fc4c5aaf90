import random
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pikepdf
import pytest
from asn1crypto import core
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.signers import PdfSigner
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from credits.certificates import signing
from credits.certificates.checks import signature_checking
from credits.certificates.checks.checking import CHECKS, Outcome, Result, check
from credits.certificates.checks.published_keys import DocumentKey, PublishedKeys
from credits.certificates.checks.signature_checking import Unsound, gap_in
from tests.certificates.checks.bent import (
    failed,
    flipped,
    saved,
    signed_again,
    swapped,
    turned_round,
    updated,
    with_message,
)
from tests.certificates.genuine import BEGUN, SIGNED, Registry, keys_of, signed_with
from tests.certificates.test_signing import sound_pdf
from tests.certificates.told import told_facts


class TestCheck:
    def test_finds_a_genuine_certificate_sound_in_all(self, genuine, keys):
        verdict = check(genuine, keys)

        assert verdict.outcome is Outcome.GENUINE
        assert list(verdict.checks) == [name for name in CHECKS if name != "stamp"]
        assert {each.result for each in verdict.checks.values() if each.name != "state"} == {Result.OK}
        assert verdict.checks["state"].result is Result.UNKNOWN
        assert verdict.number == "ASMC-R-000017"
        assert "registry.example/certificates/ASMC-R-000017" in verdict.checks["state"].text

    def test_agrees_with_the_library_that_signs(self, genuine):
        (seen,) = PdfFileReader(BytesIO(genuine)).embedded_signatures
        status = validate_pdf_signature(seen, ValidationContext(trust_roots=[seen.signer_cert], allow_fetching=False))

        assert status.intact
        assert status.valid
        assert status.coverage.name == "ENTIRE_FILE"
        assert [covered(genuine)[0], covered(genuine)[2]] == [seen.byte_range[0], seen.byte_range[2]]

    @pytest.mark.parametrize(
        ("bend", "said", "outcome"),
        [
            (lambda whole: whole, ("Signature is Valid", "Total document signed"), Outcome.GENUINE),
            (lambda whole: whole.replace(b"/Lang", b"/lang"), ("Digest Mismatch",), Outcome.NOT_GENUINE),
            (lambda whole: updated(whole), ("Not total document signed",), Outcome.NOT_GENUINE),  # noqa: PLW0108
        ],
    )
    def test_agrees_with_a_program_of_other_people(self, genuine, keys, tmp_path, bend, said, outcome):
        file = tmp_path / "certificate.pdf"
        file.write_bytes(bend(genuine))
        told = subprocess.run(["pdfsig", file], capture_output=True, text=True, check=False).stdout

        assert [sentence for sentence in said if sentence not in told] == []
        assert check(file.read_bytes(), keys).outcome is outcome
        if outcome is Outcome.GENUINE:
            done = subprocess.run(["qpdf", "--check", file], capture_output=True, text=True, check=True)
            assert "No syntax or stream encoding errors" in done.stdout

    def test_fails_at_every_changed_byte_of_the_signature_and_its_padding(self, genuine, keys):
        """The only bytes that the signature does not cover are its own: each of them by itself."""
        gap = gap_in(genuine)
        # Another digit everywhere, and where a letter stands also its small form.
        asked = [(place, 1) for place in range(gap.first, gap.last)]
        asked += [(place, 0x20) for place in range(gap.first, gap.last) if genuine[place : place + 1].isalpha()]

        assert [place for place, bit in asked if is_genuine(flipped(genuine, place, bit), keys)] == []
        assert not is_genuine(genuine[: gap.last - 2] + b"00>" + genuine[gap.last :], keys)

    def test_knows_one_signature_for_a_document_since_it_says_so(self, registry, genuine, keys, monkeypatch):
        """Of (r, s) everybody can make (r, -s), which is as right: other bytes of the same document, without a key."""
        assert failed(check(turned_round(genuine), keys)) == ["revision"]

        monkeypatch.setattr("credits.certificates.pades.ONE_FORM", "")  # as it was before
        for document in (earlier := registry.certificate(), turned_round(earlier)):
            assert check(document, keys).outcome is Outcome.GENUINE

    def test_hashes_every_other_byte_and_fails_where_one_is_changed(self, genuine, keys):
        first, length, behind, rest = covered(genuine)
        gap = gap_in(genuine)
        assert (first, length, behind, behind + rest) == (0, gap.first, gap.last, len(genuine))

        chosen = random.Random(17).sample([*range(gap.first), *range(gap.last, len(genuine))], 400)
        chosen += [0, 1, 5, gap.first - 1, gap.last, len(genuine) - 1]
        for word in (b"/ByteRange", b"startxref", b"/Prev", b"/Perms", b"/DocMDP", b"/P 1", b"/EmbeddedFile", b"/M ("):
            place = genuine.find(word)
            chosen += [place + step for step in range(len(word) + 20)] if place >= 0 else []
        assert [place for place in chosen if is_genuine(flipped(genuine, place, 1 << place % 8), keys)] == []

    @pytest.mark.parametrize(
        ("bend", "sentence"),
        [
            (lambda whole: b"", "The file is empty."),
            (lambda whole: b"Certificate ASMC-R-000017, believe me.\n", "This is not a PDF file."),
            (lambda whole: b"%PDF-1.7\n" + b"A" * 100_000 + b"%%EOF", "There is no signature in the file."),
            (lambda whole: sound_pdf(), "There is no signature in the file."),
            (lambda whole: whole[:-40], "cut off"),
            (lambda whole: whole + b"% one more line\n%%EOF\n", "22 bytes were added to the file after it was signed."),
            (lambda whole: b" " + whole, "This is not a PDF file."),
            (lambda whole: b"%PDF-1.7\n" + whole, "9 bytes were added to the file after it was signed."),
            (lambda whole: saved(whole, encryption=pikepdf.Encryption(owner="o", user="u")), "locked with a password"),
            (lambda whole: saved(swapped(whole), object_stream_mode=pikepdf.ObjectStreamMode.generate), "cover all"),
            (updated, "were added to the file after it was signed"),
            (lambda whole: whole.replace(b"/ByteRange [0 ", b"/ByteRange [1 "), "shorter than when it was signed"),
            (lambda whole: whole.replace(b"/ByteRange", b"/ByteRAnge"), "There is no signature in the file."),
        ],
    )
    def test_says_what_is_wrong_with_the_file(self, genuine, keys, bend, sentence):
        verdict = check(bend(genuine), keys)

        assert failed(verdict) == ["file"]
        assert sentence in verdict.checks["file"].text
        assert verdict.checks["inclusion"].result is Result.UNKNOWN

    @pytest.mark.parametrize("length", ["80", "820780", "84FFFFFFFF"])
    def test_reads_nothing_of_a_signature_that_is_not_in_its_one_form(self, genuine, keys, monkeypatch, length):
        """General readers of ASN.1 take fifteen seconds over such two thousand bytes, and hours over twice as many."""
        message = bytes.fromhex("30" + length) + signature_checking.message_in(genuine, gap_in(genuine))[4:]
        monkeypatch.setattr(core.Asn1Value, "load", lambda *_, **__: pytest.fail("It was opened."))

        verdict = check(with_message(genuine, message), keys)
        assert failed(verdict) in (["file"], ["signer"])
        assert "The signature is damaged" in verdict.failures[0].text

    def test_fails_wherever_it_is_cut_off(self, genuine, keys):
        assert [cut for cut in range(0, len(genuine), 211) if is_genuine(genuine[:cut], keys)] == []
        assert not is_genuine(genuine[:-1], keys)

    def test_names_another_registrys_signature(self, keys):
        verdict = check(Registry.made(seed=2).certificate(), keys)

        assert failed(verdict) == ["signer"]
        assert "another key" in verdict.checks["signer"].text
        assert verdict.facts is None

    def test_names_a_signature_on_top_of_the_registrys(self, genuine, keys, monkeypatch):
        monkeypatch.setattr(PdfSigner, "_enforce_certification_constraints", lambda self, reader: None)
        twice = signed_again(genuine, Registry.made(seed=2).seal)

        assert twice.startswith(genuine)
        assert failed(check(twice, keys)) == ["signer"]

    def test_is_not_misled_by_a_signature_put_into_another_file(self, registry, genuine, keys):
        other = registry.certificate(told_facts(number="ASMC-R-000018"))
        gap, theirs = gap_in(genuine), gap_in(other)
        assert gap.last - gap.first == theirs.last - theirs.first
        forged = other[: theirs.first] + genuine[gap.first : gap.last] + other[theirs.last :]
        assert failed(check(forged, keys)) == ["signature"]

    def test_takes_a_document_without_facts_by_its_signature_alone(self, registry, keys):
        verdict = check(signed_with(registry, told_facts()), keys)

        assert verdict.outcome is Outcome.GENUINE
        assert verdict.kind == "document"
        assert "Its signature alone was checked" in verdict.checks["log"].text
        assert verdict.checks["log"].result is Result.UNKNOWN

    def test_believes_a_key_only_for_its_time(self, registry, genuine):
        (document,) = keys_of(registry).documents
        before, after = SIGNED - timedelta(days=1), SIGNED + timedelta(days=1)

        retired = keys_of(registry, documents=[replace(document, retired_at=after)])
        too_early = keys_of(registry, documents=[replace(document, retired_at=before)])
        assert check(genuine, retired).outcome is Outcome.GENUINE
        assert failed(check(genuine, too_early)) == ["time"]
        assert failed(check(registry.certificate(at=BEGUN - timedelta(days=1)), retired)) == ["time", "log"]

    def test_counts_to_the_end_of_all_days(self, registry, keys):
        last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
        seal = signing.new_seal(
            "R", "https://registry.example", b"9" * 32, last - timedelta(days=366 * signing.YEARS_VALID)
        )

        assert failed(check(registry.certificate(at=last), keys)) == ["time"]
        until_then = keys_of(registry, documents=[DocumentKey(seal.certificate)])
        assert check(Registry(seal, registry.log).certificate(at=last), until_then).outcome is Outcome.GENUINE

    def test_is_not_misled_by_a_name_that_looks_like_a_part_of_the_file(self, registry, keys):
        name = "/ByteRange [0 10 20 30] startxref 5 %%EOF /Encrypt /Prev 7"
        facts = told_facts(purpose=name, registry=told_facts()["registry"] | {"name": name})

        assert check(registry.certificate(facts), keys).outcome is Outcome.GENUINE

    def test_goes_on_when_the_registry_has_moved_to_another_address(self, registry, genuine):
        assert check(genuine, keys_of(registry, url="https://new.example")).outcome is Outcome.GENUINE
        assert failed(check(genuine, keys_of(registry, code="OTHR"))) == ["registry"]


def covered(content: bytes) -> list[int]:
    (found,) = signature_checking.RANGE.findall(content)
    return [int(number) for number in found]


def is_genuine(content: bytes, keys: PublishedKeys) -> bool:
    """As `check` begins: whatever fails here fails there."""
    try:
        signature_checking.must_be_whole(content)
        gap = gap_in(content)
        message = signature_checking.message_in(content, gap)
        signature_checking.must_be_signed(content, gap, message, signature_checking.signer_of(message, keys.documents))
    except Unsound:
        return False
    return True
