import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey

from credits.certificates.issuing import freeze
from credits.registry.movements import DecisionKind
from tests.documents import worked

VC = "application/vc+jwt"


@pytest.fixture
def retirement(app, session, stage):
    issuance = stage.issued()
    stage.handed_over(issuance, 1_500)
    made = stage.retired(issuance, 750)
    freeze(session, retirement=made, issuer=app.extensions["issuer"])
    return made


def raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def other_letter(token: str) -> str:
    place = len(token) // 2  # within the payload
    return token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]


class TestCertificateCredential:
    def test_is_verified_by_the_key_of_the_did_document(self, app, client, session, retirement):
        worked(app, session)
        answer = client.get(f"/certificates/{retirement.number}", headers={"Accept": VC})
        did = client.get("/.well-known/did.json").json
        token = jws.extract_compact(answer.data)
        (method,) = [each for each in did["verificationMethod"] if each["id"] == token.headers()["kid"]]
        told = json.loads(
            jws.deserialize_compact(answer.data, ECKey.import_key(method["publicKeyJwk"]), algorithms=["ES256"]).payload
        )

        assert answer.mimetype == VC
        assert token.headers() == {"alg": "ES256", "typ": "vc+jwt", "cty": "vc", "kid": method["id"]}
        assert told["issuer"]["id"] == did["id"] == method["controller"] == "did:web:localhost%3A8000"
        assert method["id"] in did["assertionMethod"]
        assert "d" not in method["publicKeyJwk"]
        assert told["@context"][0] == "https://www.w3.org/ns/credentials/v2"
        assert told["type"][0] == "VerifiableCredential"
        assert told["validFrom"] == told["credentialSubject"]["certificate"]["retired_at"]
        assert told["credentialSubject"]["certificate"] == client.get(f"/certificates/{retirement.number}.json").json
        for resource in told["relatedResource"]:
            content = client.get(resource["id"].removeprefix("http://localhost:8000")).data
            assert resource["digestSRI"] == f"sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}"

    def test_holds_by_the_bare_mathematics_too_and_not_once_a_letter_differs(self, app, client, session, retirement):
        """Without the library that made it: RFC 7515 and the curve alone."""
        worked(app, session)
        token = client.get(f"/certificates/{retirement.number}.vc").text
        (method,) = client.get("/.well-known/did.json").json["verificationMethod"]
        key = ECKey.import_key(method["publicKeyJwk"]).public_key
        signed, _dot, signature = token.rpartition(".")
        numbers = [int.from_bytes(each) for each in (raw(signature)[:32], raw(signature)[32:])]

        key.verify(encode_dss_signature(*numbers), signed.encode(), ec.ECDSA(hashes.SHA256()))
        with pytest.raises(BadSignatureError):
            jws.deserialize_compact(other_letter(token), ECKey.import_key(method["publicKeyJwk"]))

    def test_is_given_to_who_asks_for_it_alone_and_not_before_the_document(self, app, client, session, retirement):
        early = client.get(f"/certificates/{retirement.number}", headers={"Accept": VC})
        worked(app, session)

        assert early.status_code == 409
        for accept in ("text/html,*/*;q=0.8", "*/*", ""):
            answer = client.get(f"/certificates/{retirement.number}", headers={"Accept": accept})
            assert answer.mimetype == "text/html"
            assert "accept" in answer.vary
        assert client.get("/certificates/ASMC-R-000099", headers={"Accept": VC}).status_code == 404

    def test_tells_what_was_said_later_and_ends_with_an_annulment(self, app, client, session, stage, retirement):
        worked(app, session)
        stage.decided(DecisionKind.ANNOTATION, retirement.number)
        payload = jws.extract_compact(client.get(f"/certificates/{retirement.number}.vc").data).payload
        stage.decided(DecisionKind.ANNULMENT, retirement.number)

        (word,) = json.loads(payload)["credentialSubject"]["annotations"]
        assert (word["kind"], word["text"]) == ("annotation", "The assay was wrong.")
        assert client.get(f"/certificates/{retirement.number}.vc").status_code == 409
