"""The log as software fetches it and as people read it."""

import json
import re
from datetime import timedelta

import pytest

from credits import jobs
from credits.certificates.issuing import Issuer, freeze
from credits.journal import keys
from credits.journal.heads import open_checkpoint
from credits.journal.merkle import leaf_hash, root
from credits.journal.notes import WITNESS, SigningKey, verifying_key
from credits.journal.proofs import check, proof_in
from credits.journal.tiles import tree_of
from credits.log_keys import log_keys
from credits.participants.wording import day_shown
from tests.factories import AT
from tests.journal.publishing import append
from tests.journal.reference import entries_in

WITNESS_KEY = SigningKey("witness.example/one", WITNESS, bytes(32))


@pytest.fixture
def published(app, client, session):
    """Adds events and publishes them; the log's keys."""

    def publish(count: int) -> keys.LogKeys:
        for number in range(count):
            append(session, number=number)
        session.commit()
        with app.app_context():
            made = log_keys()
        jobs.publish_log(session, keys=made, data_dir=app.extensions["settings"].data_dir, at=AT)
        return made

    return publish


class TestCheckpoint:
    def test_is_not_there_before_anything_happened(self, client):
        assert client.get("/checkpoint").status_code == 404
        assert "Nothing has been published yet" in client.get("/log").text

    def test_is_signed_text_that_is_soon_asked_for_again(self, client, published):
        made = published(3)
        answer = client.get("/checkpoint")

        assert answer.content_type == "text/plain; charset=utf-8"
        assert answer.headers["Cache-Control"] == "public, max-age=5"
        assert open_checkpoint(answer.data, made.public)[0].size == 3
        assert client.get("/log/checkpoints/3").data == answer.data
        assert client.get("/log/checkpoints/2").status_code == 404


class TestTile:
    def test_is_all_that_software_needs_to_compute_the_root(self, client, published):
        made = published(300)
        head = open_checkpoint(client.get("/checkpoint").data, made.public)[0]
        tree = tree_of(300, lambda tile: client.get(f"/{tile.path}").data)
        entries = entries_in(client.get("/tile/entries/000").data) + entries_in(
            client.get("/tile/entries/001.p/44").data
        )

        assert root(300, tree) == head.root
        assert [leaf_hash(entry) for entry in entries] == [tree(0, index) for index in range(300)]

    def test_may_be_kept_for_ever(self, client, published):
        published(300)
        full, partial = client.get("/tile/0/000"), client.get("/tile/1/000.p/1")

        assert full.content_type == "application/octet-stream"
        assert full.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert partial.headers["Cache-Control"] == "public, max-age=86400, immutable"
        assert "Set-Cookie" not in full.headers

    @pytest.mark.parametrize(
        "path", ["0/000", "0/000.p/4", "1/000.p/1", "0/001", "0/000.p/0", "entries/000", "x", "0/0"]
    )
    def test_is_not_served_before_its_checkpoint(self, client, published, path):
        published(3)

        assert client.get(f"/tile/{path}").status_code == 404
        assert client.get("/tile/0/000.p/3").status_code == 200

    def test_of_what_is_not_signed_yet_is_not_served(self, client, published, session):
        published(3)
        append(session)
        session.commit()

        assert client.get("/tile/entries/000.p/4").status_code == 404


class TestLog:
    def test_explains_itself_and_lists_what_happened(self, client, published):
        made = published(30)
        page = client.get("/log").text

        assert "can only grow" in page
        assert "SITE-000029" in page
        assert made.keys[0].public in page.replace("&#43;", "+")
        older = client.get("/log?before=5").text
        assert "SITE-000004" in older
        assert "SITE-000005" not in older

    @pytest.mark.parametrize("before", ["0", "-3", "x", "99999999999999999999"])
    def test_takes_no_harm_from_a_wrong_address(self, client, published, before):
        published(2)

        assert client.get(f"/log?before={before}").status_code == 200


class TestLoggedEvent:
    def test_shows_the_entry_and_gives_its_proof(self, client, published):
        made = published(5)
        page = client.get("/log/events/2").text
        body = client.get("/log/events/2.json").data
        answer = client.get("/log/events/2.tlog-proof")

        assert "SITE-000002" in page
        assert "event-2.tlog-proof" in page
        assert json.loads(body)["subject"] == "SITE-000002"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="event-2.tlog-proof"'
        proof = proof_in(answer.data)
        assert check(proof, body=body, keys=made.public).index == 2

    @pytest.mark.parametrize("address", ["5", "5.json", "5.tlog-proof", "99999999999999999999", "x"])
    def test_knows_nothing_of_what_is_not_published(self, client, published, address):
        published(5)

        assert client.get(f"/log/events/{address}").status_code == 404


class TestProofOfANumber:
    @pytest.fixture
    def numbers(self, stage, published):
        """Page of each thing, and what its proof is of."""
        issued = stage.issued()
        offer = stage.handed_over(issued, 1_000)
        retired = stage.retired(issued, 400)
        pages = {
            f"/certificates/{retired.number}": "retirement.retired",
            f"/issuances/{issued.number}": "issuance.issued",
            f"/transfers/{offer.number}": "transfer.accepted",
            f"/batches/{issued.batch.number}": "batch.verified",
        }
        freeze(stage.session, retirement=retired, issuer=Issuer(name="Registry", url="https://registry.example"))
        return pages, published(1)

    def test_is_given_on_the_page_of_what_it_is_about(self, client, stage, numbers):
        pages, made = numbers
        client.sign_in(stage.manager)
        for address, kind in pages.items():
            link = re.search(r'href="([^"]+\.tlog-proof)"', client.get(address).text)[1]
            answer = client.get(link)
            proof = proof_in(answer.data)

            assert answer.headers["Content-Disposition"] == f'attachment; filename="{link.rsplit("/")[-1]}"'
            assert json.loads(check(proof, body=proof.body, keys=made.public).body)["kind"] == kind

    @pytest.mark.parametrize("address", ["/log/proofs/BATCH-000099", "/log/proofs/x%22", "/issuances/ASMC-X"])
    def test_is_not_there_for_what_is_not_there(self, client, published, address):
        published(1)

        assert client.get(f"{address}.tlog-proof").status_code == 404

    def test_says_that_it_comes_in_a_minute(self, client, session, published):
        published(1)
        append(session, subject="SITE-9")
        session.commit()
        answer = client.get("/log/proofs/SITE-9.tlog-proof")

        assert answer.status_code == 404
        assert "Ask again in a minute" in answer.text


class TestLogKeyList:
    def test_has_the_keys_of_all_times(self, app, client, published):
        published(1)
        data_dir = app.extensions["settings"].data_dir
        keys.rotate(data_dir, seed=bytes(32), at=AT, overlap=timedelta(days=1))
        lines = client.get("/log/keys").text.splitlines()

        assert [verifying_key(line.split()[0]) for line in lines] == keys.load(data_dir).public
        assert [len(line.split()) for line in lines] == [3, 2]
        assert "PRIVATE" not in client.get("/log/keys").text
        assert f"signs until {day_shown(AT + timedelta(days=1))}" in client.get("/log").text


class TestTakeCosignature:
    def test_adds_a_trusted_witness_to_the_checkpoint(self, app, client, published):
        app.config["WTF_CSRF_ENABLED"] = True
        published(3)
        keys.trust(app.extensions["settings"].data_dir, [WITNESS_KEY.verifying])
        checkpoint = client.get("/checkpoint").text
        line = WITNESS_KEY.cosign(checkpoint.rpartition("\n\n")[0] + "\n", 1_790_000_000)
        answer = client.post("/log/checkpoints/3/cosignatures", data=line.encode(), content_type="text/plain")

        assert (answer.status_code, answer.text) == (201, "witness.example/one\n")
        assert client.get("/checkpoint").text == checkpoint + line
        assert "witness.example/one" in client.get("/log").text

    @pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff", "— witness.example/one AAAAAAAA\n".encode()])
    def test_changes_nothing_for_nonsense(self, client, published, content):
        published(3)
        checkpoint = client.get("/checkpoint").text

        assert client.post("/log/checkpoints/3/cosignatures", data=content).status_code == 422
        assert client.post("/log/checkpoints/4/cosignatures", data=content).status_code == 422
        assert client.get("/checkpoint").text == checkpoint
