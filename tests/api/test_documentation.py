import pytest
from lxml import html

PUBLIC = {
    ("POST", "/api/v1/claims/check"),
    ("POST", "/api/v1/verify"),
    ("GET", "/api/v1/claims/{number}"),
    ("GET", "/api/v1/certificates/{number}"),
    ("GET", "/api/v1/certificates/{number}/document"),
    ("GET", "/api/v1/certificates/{number}/status"),
    ("GET", "/api/v1/issuances"),
    ("GET", "/api/v1/issuances/{number}"),
    ("GET", "/api/v1/minerals"),
    ("GET", "/api/v1/offers"),
    ("GET", "/api/v1/offers/{number}"),
    ("GET", "/api/v1/organisations/{number}"),
    ("GET", "/api/v1/retirements/{number}"),
    ("GET", "/api/v1/search"),
    ("GET", "/api/v1/sites/{number}/assurance"),
    ("GET", "/api/v1/sites/{number}/premium"),
    ("GET", "/api/v1/sites/{number}/premium/decisions"),
    ("GET", "/api/v1/standards"),
    ("GET", "/api/v1/serials/{serial}"),
    ("GET", "/api/v1/serials/{serial}/premium"),
}


@pytest.fixture
def described(client):
    return client.get("/api/v1/openapi.json").json


class TestOpenapi:
    def test_describes_this_api(self, described):
        assert described["openapi"] == "3.1.0"
        assert described["components"]["securitySchemes"] == {"token": {"type": "http", "scheme": "bearer"}}

    def test_names_what_is_public(self, described):
        opened = {
            (method.upper(), path)
            for path, methods in described["paths"].items()
            for method, told in methods.items()
            if method != "parameters" and told.get("security") == []
        }

        assert opened == PUBLIC

    def test_asks_for_a_key_with_every_post(self, described):
        for path, methods in described["paths"].items():
            if "post" in methods and methods["post"].get("security") != []:  # a stranger's changes nothing
                names = {each["name"] for each in methods["post"]["parameters"] if each["required"]}
                assert "Idempotency-Key" in names, path

    def test_tells_how_files_are_sent(self, described):
        body = described["paths"]["/api/v1/batches/{number}/evidence"]["post"]["requestBody"]["content"]

        assert list(body) == ["multipart/form-data"]

    def test_lets_no_unknown_field_in(self, described):
        requests = {name: shape for name, shape in described["components"]["schemas"].items() if "Request" in name}

        assert requests
        assert all(shape["additionalProperties"] is False for shape in requests.values())


class TestDocs:
    def test_shows_every_operation_without_script_or_style(self, client, described):
        page = html.fromstring(client.get("/api/v1/docs").text)

        shown = set(page.xpath("//summary/span[@class='code']/text()"))
        assert set(described["paths"]) == shown
        assert len(page.xpath("//h1")) == 1
        assert page.xpath("//script | //style | //@style | //@onclick") == []


class TestAddress:
    def test_leads_to_a_problem_where_there_is_nothing(self, client):
        for method, path, status, code in (
            ("GET", "/api/v1/nothing", 404, "missing"),
            ("GET", "/api/", 404, "missing"),
            ("DELETE", "/api/v1/minerals", 405, "method_not_allowed"),
        ):
            answer = client.open(path, method=method)

            assert (answer.status_code, answer.json["code"]) == (status, code)
            assert answer.mimetype == "application/problem+json"
