from dataclasses import replace

from credits import provider


class TestGatewayFor:
    def test_is_none_before_a_stand_in_was_started(self, settings):
        assert provider.gateway_for(settings) is None

    def test_is_a_stand_in_beside_the_registry(self, settings):
        with provider.at_hand(settings) as stand_in:
            assert provider.gateway_for(settings).pages == stand_in.api_base
            assert provider.gateway_for(replace(settings, environment="production")) is None

    def test_is_stripe_where_there_is_a_key(self, settings):
        live = replace(settings, stripe_api_key="sk_live_1", stripe_webhook_secret="whsec_1")

        assert provider.gateway_for(live).livemode
        assert provider.gateway_for(live).pages == "https://checkout.stripe.com"
