import json
import random
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pikepdf
import pytest
from asn1crypto import cms, core
from asn1crypto.keys import PrivateKeyInfo
from asn1crypto.x509 import Certificate
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from pyhanko.pdf_utils.generic import TextStringObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import SigFieldSpec
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from credits.certificates import pdf, signing
from credits.certificates.checks import proof_checking, signature_checking
from credits.certificates.checks.attached import paper_in
from credits.certificates.checks.checking import CHECKS, INCLUSION, PROOF, Outcome, Result, check
from credits.certificates.checks.checking import FACTS as FACTS_FILE
from credits.certificates.checks.published_keys import DocumentKey, PublishedKeys, keys_in
from credits.certificates.checks.signature_checking import Unsound, gap_in
from credits.certificates.pdf import Enclosed
from credits.certificates.verify import summary
from credits.journal import keys as log_keys
from credits.journal.canonical import encode
from tests.certificates.genuine import BEGUN, SIGNED, Registry
from tests.certificates.test_signing import sound_pdf
from tests.certificates.told import told_facts
from tests.journal import reference


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.made()


@pytest.fixture(scope="module")
def keys(registry) -> PublishedKeys:
    return keys_of(registry)


@pytest.fixture(scope="module")
def genuine(registry) -> bytes:
    return registry.certificate()


@pytest.fixture(scope="module")
def carried(genuine):
    return paper_in(genuine, gap_in(genuine)).attachments


def keys_of(registry, **bent) -> PublishedKeys:
    return keys_in(json.dumps(registry.keys(**bent)).encode())


def failed(verdict) -> list[str]:
    assert verdict.outcome is Outcome.NOT_GENUINE
    assert all(each.text for each in verdict.checks.values())
    return [each.name for each in verdict.failures]


def signed_with(registry, facts, *enclosed, title_of=None, at=SIGNED) -> bytes:
    """A document that the registry's own key has signed, though it should not have."""
    kinds = {FACTS_FILE: "application/json", INCLUSION: "application/json", PROOF: "text/plain"}
    files = [Enclosed(name, content, kinds.get(name, "text/plain"), "Data", name) for name, content in enclosed]
    drawn = pdf.draw(title_of or facts, shown={"fingerprint": "", "log": None}, enclosed=files)
    return signing.signed(drawn, registry.seal, reason="Certificate", at=at)


def flipped(content: bytes, place: int, bit: int = 1) -> bytes:
    return content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]


def updated(content: bytes) -> bytes:
    """A revision appended, as editing programs do."""
    writer = IncrementalPdfFileWriter(BytesIO(content))
    writer.root["/Lang"] = TextStringObject("fr")
    writer.update_root()
    written = BytesIO()
    writer.write(written)
    return written.getvalue()


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


class TestWhatIsEnclosed:
    """Had somebody the registry's own signature, its log would still not speak for them."""

    @pytest.mark.parametrize(
        ("bend", "names"),
        [
            (lambda facts, files: files | {FACTS_FILE: encode(facts | {"credits": "9"})}, ["inclusion"]),
            (lambda facts, files: files | {FACTS_FILE: encode(facts | {"number": "ASMC-R-000018"})}, ["paper", "log"]),
            (
                lambda facts, files: files | {FACTS_FILE: encode(facts | {"quantity_base_units": 9})},
                ["paper", "inclusion"],
            ),
            (lambda facts, files: files | {FACTS_FILE: encode(facts | {"schema": "asmc-other-1"})}, ["attachments"]),
            (lambda facts, files: files | {FACTS_FILE: json.dumps(facts).encode()}, ["facts"]),
            (lambda facts, files: files | {FACTS_FILE: b"\xff"}, ["facts"]),
            (lambda facts, files: files | {"more.txt": b"more"}, ["attachments"]),
            (lambda facts, files: {FACTS_FILE: files[FACTS_FILE]}, ["attachments"]),
            (lambda facts, files: {INCLUSION: files[INCLUSION]}, ["facts"]),
        ],
    )
    def test_is_held_against_each_other(self, registry, keys, carried, bend, names):
        facts = told_facts()
        document = signed_with(registry, facts, *bend(facts, dict(carried)).items())

        assert failed(check(document, keys)) == names

    def test_proves_nothing_under_another_logs_key(self, registry, keys, carried):
        frozen = carried[FACTS_FILE]
        (way,), proof = Registry(registry.seal, Registry.made(seed=3).log).proven([frozen], about="ASMC-R-000017")
        files = {FACTS_FILE: frozen, INCLUSION: way, PROOF: proof.text.encode()}

        verdict = check(signed_with(registry, told_facts(), *files.items()), keys)
        assert failed(verdict) == ["log"]
        assert "none of the keys" in verdict.checks["log"].text

    @pytest.mark.parametrize(
        "bent",
        [
            {"kind": "certificate.noted"},
            {"subject": "ASMC-R-000016"},
            {"subject": None},
            {"at": None},
            {"at": "2026-07-20T08:00:00"},
            {"at": "2026-07-31T12:06:00Z"},
            {"facts": None},
            {"facts": []},
        ],
    )
    def test_proves_nothing_by_another_entry(self, registry, keys, carried, bent):
        (way,), proof = registry.proven([carried[FACTS_FILE]], about="ASMC-R-000017", **bent)
        files = carried | {INCLUSION: way, PROOF: proof.text.encode()}

        assert failed(check(signed_with(registry, told_facts(), *files.items()), keys)) == ["log"]

    def test_proves_nothing_by_a_key_of_the_log_that_came_later_or_had_ended(self, registry, genuine):
        (key,) = registry.log.keys
        later = log_keys.LogKeys(registry.log.origin, (replace(key, since="2027-01-01T00:00:00+00:00"),))
        ended = log_keys.LogKeys(registry.log.origin, (replace(key, until="2026-07-02T00:00:00+00:00"),))
        since = log_keys.LogKeys(registry.log.origin, (replace(key, until="2026-07-21T00:00:00+00:00"),))

        assert failed(check(genuine, keys_of(registry, log=later))) == ["log"]
        assert failed(check(genuine, keys_of(registry, log=ended))) == ["log"]
        assert check(genuine, keys_of(registry, log=since)).outcome is Outcome.GENUINE

    @pytest.mark.parametrize("leaves", ["1", None, True])
    def test_takes_nothing_for_a_number_that_is_none(self, registry, keys, carried, leaves):
        root = json.loads(registry.proven([carried[FACTS_FILE]], about="ASMC-R-000017")[1].body)["facts"]["root"]
        for said, asked in ((leaves, leaves), (1, leaves), (leaves, 1)):
            event = {"root": root, "leaves": said, "schema": told_facts()["schema"]}
            (way,), proof = registry.proven([carried[FACTS_FILE]], about="ASMC-R-000017", facts=event)
            steps = json.dumps(json.loads(way) | {"leaves": asked}, separators=(",", ":"), sort_keys=True).encode()
            files = carried | {INCLUSION: steps, PROOF: proof.text.encode()}

            assert failed(check(signed_with(registry, told_facts(), *files.items()), keys)) == ["inclusion"]

    @pytest.mark.parametrize("name", ["credits", "quantity", "beneficiary", "mineral", "claim_period", "registry"])
    @pytest.mark.parametrize("value", [None, [], {"url": [], "code": "ASMC"}, 5])
    def test_does_not_stumble_over_facts_of_another_shape(self, registry, keys, name, value):
        facts = told_facts() | {name: value}
        (way,), proof = registry.proven([encode(facts)], about="ASMC-R-000017")
        files = {FACTS_FILE: encode(facts), INCLUSION: way, PROOF: proof.text.encode()}
        verdict = check(signed_with(registry, told_facts(), *files.items()), keys)

        assert failed(verdict) == ["registry" if name == "registry" else "paper"]
        assert summary(verdict).startswith("NOT GENUINE")

    def test_counts_one_certificate_of_many_under_one_entry(self, registry, keys):
        many = [told_facts(number=f"ASMC-R-{number:06d}", statement="BULK-000003") for number in range(1, 8)]
        frozen = [encode(each) for each in many]
        ways, proof = registry.proven(frozen, about="BULK-000003")
        files = {FACTS_FILE: frozen[4], INCLUSION: ways[4], PROOF: proof.text.encode()}
        sound = check(signed_with(registry, many[4], *files.items()), keys)
        other = check(signed_with(registry, many[4], *(files | {INCLUSION: ways[3]}).items()), keys)

        assert sound.outcome is Outcome.GENUINE
        assert failed(other) == ["inclusion"]

    def test_leaves_open_the_earliest_certificates_which_have_no_proof(self, registry, keys):
        facts = told_facts(schema="asmc-retirement-certificate-1")
        verdict = check(signed_with(registry, facts, (FACTS_FILE, encode(facts))), keys)

        assert (verdict.outcome, verdict.failures) == (Outcome.UNKNOWN, [])
        assert verdict.checks["log"].result is Result.UNKNOWN
        assert summary(verdict).startswith(
            "COULD NOT TELL: the registry's key has signed it. Not proven: it is from before"
        )

    def test_fails_at_every_changed_byte_of_facts_steps_and_proof(self, keys, carried):
        facts, steps, proof = carried[FACTS_FILE], carried[INCLUSION], carried[PROOF]
        event = proof_checking.event_in(proof, keys.log, SIGNED)

        def holds(facts: bytes, steps: bytes, proof: bytes) -> bool:
            try:
                told = proof_checking.canonical(facts, "The facts")
                event = proof_checking.event_in(proof, keys.log, SIGNED)
                proof_checking.must_speak_of(event, told)
                proof_checking.must_lead(facts, steps, event)
            except Unsound:
                return False
            return True

        assert holds(facts, steps, proof)
        for content, ask in (
            (facts, lambda bent: holds(bent, steps, proof)),
            (steps, lambda bent: holds(facts, bent, proof)),
            (proof, lambda bent: holds(facts, steps, bent)),
        ):
            assert [place for place in range(len(content)) if ask(flipped(content, place, 1 << place % 7))] == []
        assert event.subject == "ASMC-R-000017"

    def test_agrees_with_the_tree_as_the_standard_writes_it(self, registry):
        """RFC 6962 by a way of its own: no line of it is shared with the registry."""
        frozen = [encode({"schema": "asmc-retirement-certificate-2", "number": str(number)}) for number in range(11)]
        ways, proof = registry.proven(frozen, about="BULK-000001")
        root = json.loads(proof.body)["facts"]["root"]

        assert root == reference.root(frozen).hex()
        for index, way in enumerate(ways):
            assert json.loads(way)["path"] == [each.hex() for each in reference.path(index, frozen)]


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


def turned_round(content: bytes) -> bytes:
    gap = gap_in(content)
    message = cms.ContentInfo.load(signature_checking.message_in(content, gap))
    r, s = decode_dss_signature(message["content"]["signer_infos"][0]["signature"].native)
    message["content"]["signer_infos"][0]["signature"] = encode_dss_signature(r, signing.ORDER - s)
    return with_message(content, message.dump(force=True))


def with_message(content: bytes, message: bytes) -> bytes:
    """With another signature in the place of the one that is there."""
    gap = gap_in(content)
    written = message.hex().upper().encode()
    return content[: gap.first + 1] + written.ljust(gap.last - gap.first - 2, b"0") + content[gap.last - 1 :]


def saved(content: bytes, **how) -> bytes:
    written = BytesIO()
    with pikepdf.open(BytesIO(content)) as opened:
        opened.save(written, **how)
    return written.getvalue()


def swapped(content: bytes) -> bytes:
    """With other facts than the ones that were signed."""
    written = BytesIO()
    with pikepdf.open(BytesIO(content)) as opened:
        opened.attachments[FACTS_FILE] = encode(told_facts(credits="1000"))
        opened.save(written)
    return written.getvalue()


def signed_again(content: bytes, seal: signing.Seal) -> bytes:
    """With a stranger's signature over all of it."""
    secret = seal.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    stranger = PdfSigner(
        PdfSignatureMetadata(field_name="Stranger", md_algorithm="sha256"),
        SimpleSigner(
            signing_cert=Certificate.load(seal.certificate.public_bytes(serialization.Encoding.DER)),
            signing_key=PrivateKeyInfo.load(secret),
            cert_registry=SimpleCertificateStore(),
        ),
        new_field_spec=SigFieldSpec("Stranger"),
    )
    written = BytesIO()
    stranger.sign_pdf(IncrementalPdfFileWriter(BytesIO(content)), output=written)
    return written.getvalue()
