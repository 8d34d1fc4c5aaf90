"""How often somebody may try: a guessed password costs a try, and so does a mail that we send for a stranger."""

from flask import current_app, request, session
from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

GUESSES = "10 per minute; 60 per hour"
LETTERS = "5 per minute; 20 per hour"
BY_ADDRESS = {
    "security.login": GUESSES,
    "security.verify": GUESSES,
    "security.change_password": GUESSES,
    "security.reset_password": GUESSES,
    "security.two_factor_token_validation": GUESSES,
    "security.mf_recovery": GUESSES,
    "security.forgot_password": LETTERS,
    "web.sign_up": LETTERS,
    "web.add_member": LETTERS,
    "web.file_grievance": "5 per hour; 20 per day",
    "web.follow_grievance": GUESSES,
    "web.add_to_grievance": "10 per hour; 40 per day",
    "web.look_at_order": "10 per minute; 60 per hour",
    "web.check_document": "30 per minute; 300 per hour",
    "api.verification.check_document": "30 per minute; 300 per hour",
    "web.check_claim": "30 per minute; 300 per hour",
    "api.claims.check_claim": "30 per minute; 300 per hour",
}
# A thousand addresses then help little, and nobody is locked out by a few strangers.
BY_ACCOUNT = {"security.login": "100 per hour"}
# Whoever invites from a thousand addresses is still one person. Statements are asked for faster than they are drawn:
# everybody's documents wait behind them.
BY_PERSON = {"web.add_member": "50 per day", "web.document_of_account": "60 per hour; 200 per day"}
# Counts live in each process: four workers let four times as many tries through.
counts = FixedWindowRateLimiter(MemoryStorage())


def count_try() -> None:
    """Raise TooManyRequests for one try too many. Before any other work: a refusal must cost us nothing."""
    if request.method != "POST" or not current_app.extensions["settings"].sign_in_limits:
        return
    endpoint = request.endpoint or ""
    _spend(endpoint, BY_ADDRESS, request.remote_addr or "")
    if endpoint in BY_PERSON:
        _spend(endpoint, BY_PERSON, session.get("_user_id", ""))
    if endpoint in BY_ACCOUNT:
        _spend(endpoint, BY_ACCOUNT, request.form.get("email", "").strip().lower()[:200])


def _spend(endpoint: str, limits: dict[str, str], who: str) -> None:
    allowed: list[RateLimitItem] = parse_many(limits[endpoint]) if endpoint in limits else []
    for limit in allowed:
        if not counts.hit(limit, endpoint, who):
            raise TooManyRequests(retry_after=limit.get_expiry())
