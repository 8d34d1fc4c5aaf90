"""Every route is open by name, or asks who is there before anything else."""

import pytest
from werkzeug.routing import Rule

PUBLIC = {
    "api.premium.follow_premium",
    "api.premium.list_decisions",
    "api.premium.show_premium",
    "web.follow_money",
    "web.premium",
    "web.premium_page",
    "web.premium_paper",
    "web.public_site_premium",
    "web.public_site_premium_csv",
    "web.add_to_grievance",
    "web.file_grievance",
    "web.follow_grievance",
    "static",
    "api.assurance.list_standards",
    "api.assurance.show_assurance",
    "api.issuances.list_issuances",
    "api.issuances.list_minerals",
    "api.issuances.show_issuance",
    "api.offers.list_offers",
    "api.offers.show_offer",
    "api.participants.organisation",
    "api.retirements.download_certificate",
    "api.retirements.show_certificate",
    "api.retirements.show_status",
    "api.retirements.show_retirement",
    "api.serials.search",
    "api.serials.show_serials",
    "api.sites.show_observed_site",
    "api_documentation.docs",
    "api_documentation.openapi",
    "security.forgot_password",
    "security.login",
    "security.logout",  # signs nobody out who is not signed in
    "security.reset_password",
    "security.mf_recovery",  # these four: only in the middle of a sign-in
    "security.tf_select",
    "security.two_factor_rescue",
    "security.two_factor_token_validation",
    "web.about",
    "web.all_offers",
    "web.by_quantity",
    "web.certificate",
    "web.checkpoint",
    "web.check_claim",
    "web.claim",
    "api.claims.check_claim",
    "api.claims.show_claim",
    "web.certificate_facts",
    "web.document",
    "web.document_facts",
    "web.document_pdf",
    "web.document_status",  # whoever knows the fingerprint of its facts has it
    "web.certificate_credential",
    "web.did_document",
    "web.certificate_pdf",
    "web.certificate_status",
    "web.draw",
    "web.event_bytes",
    "web.event_proof",
    "web.proof_of_issuance",
    "web.proof_of_number",
    "web.health",
    "web.home",
    "web.how_lots_are_drawn",
    "web.issuance",
    "web.log",
    "web.log_key_list",
    "web.logged_event",
    "web.offer",
    "web.older_checkpoint",
    "web.organisation",
    "web.public_site",
    "web.retirement",
    "web.search",
    "web.serials",
    "web.sign_up",
    "web.signed_up",
    "web.stripe_webhook",  # the signature says who sends it
    "web.take_cosignature",  # the signature says who sends it
    "web.tile",
    "web.unit",
    "web.document_certificate",
    "web.statement_proof",  # of what is issued; before that for the parties
    "web.verification_statement",
    "web.verify",
    "web.check_document",
    "api.verification.check_document",
    "web.key_file",
    "web.public_keys",
}


@pytest.fixture
def rules(app) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint not in PUBLIC]


def some_address(app, rule: Rule) -> str:
    values = {
        name: 1 if "int" in type(converter).__name__.lower() else "X" for name, converter in rule._converters.items()
    }
    return rule.build(values)[1]


class TestRoutes:
    def test_turn_strangers_away(self, app, client, rules):
        open_doors = []
        for rule in rules:
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                answer = client.open(some_address(app, rule), method=method)
                to_sign_in = answer.status_code in (302, 303) and answer.location.startswith("/login")
                if not to_sign_in and answer.status_code != 401:
                    open_doors.append((rule.endpoint, method, answer.status_code))

        assert open_doors == []

    def test_are_all_still_there(self, app):
        assert PUBLIC - {rule.endpoint for rule in app.url_map.iter_rules()} == set()

    def test_have_no_double(self, app):
        # The browser would get one of the two, and nobody would know which.
        addresses = [(rule.rule, method) for rule in app.url_map.iter_rules() for method in rule.methods - {"OPTIONS"}]

        assert len(addresses) == len(set(addresses))
