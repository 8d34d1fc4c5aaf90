class TestHealth:
    def test_says_that_the_database_answers(self, client):
        answer = client.get("/health")

        assert answer.status_code == 200
        assert answer.json["status"] == "ok"
