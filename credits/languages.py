"""Which language a page speaks, and how a visitor chooses it."""

from flask import Flask, Response, request, session
from flask_babel import get_locale

from credits.identity import through_api, visitor
from credits.participants.models import Language

NAMES = [("en", "English"), ("fr", "Français"), ("es", "Español"), ("pt", "Português"), ("sw", "Kiswahili")]
KNOWN = frozenset(Language)
COOKIE = "lang"
A_YEAR = 365 * 24 * 3600  # seconds


def chosen() -> str:
    """First the address (`?lang=fr`), then this session, the person, the cookie of an earlier visit, the browser."""
    if through_api():
        return Language.EN.value
    for asked in (request.args.get("lang", ""), session.get(COOKIE, "")):
        if asked in KNOWN:
            return asked
    if (user := visitor()) is not None:
        return user.language.value
    if (kept := request.cookies.get(COOKIE, "")) in KNOWN:
        return kept
    return request.accept_languages.best_match([language.value for language in Language]) or Language.EN.value


def current() -> str:
    """The code of the language in use."""
    locale = get_locale()
    return locale.language if locale else Language.EN.value


def remember(response: Response) -> Response:
    """Keep a choice made by address for the pages to come, and for the visits after this session."""
    asked = request.args.get("lang", "")
    if asked in KNOWN and not through_api():
        session[COOKIE] = asked
        response.set_cookie(COOKIE, asked, max_age=A_YEAR, secure=request.is_secure, httponly=True, samesite="Lax")
    return response


def forget_choice() -> None:
    """Let the language of the person count again in this session."""
    session.pop(COOKIE, None)


def register(app: Flask) -> None:
    app.after_request(remember)
