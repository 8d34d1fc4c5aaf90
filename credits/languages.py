"""Which language a page speaks, and how a visitor chooses it."""

from babel.support import NullTranslations
from flask import Flask, Response, current_app, g, request, session
from flask_babel import get_locale, get_translations
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from credits.extensions import babel
from credits.identity import through_api, visitor
from credits.participants.models import Language
from credits.states import state_shown

NAMES = [("en", "English"), ("fr", "Français"), ("es", "Español"), ("pt", "Português"), ("sw", "Kiswahili")]
spoken: dict[str | None, NullTranslations] = {}  # catalogues that this process has read, by language
COOKIE = "lang"
A_YEAR = 365 * 24 * 3600  # seconds


def chosen() -> str:
    """First the address (`?lang=fr`), then this session, the person, the cookie of an earlier visit, the browser.

    Only a language that pages can be shown in: one without a catalogue would have its dates and none of its words.
    """
    if through_api():
        return Language.EN.value
    spoken = [code for code, _name in offered()]
    for asked in (request.args.get("lang", ""), session.get(COOKIE, "")):
        if asked in spoken:
            return asked
    if (user := visitor()) is not None and user.language.value in spoken:
        return user.language.value
    if (kept := request.cookies.get(COOKIE, "")) in spoken:
        return kept
    return request.accept_languages.best_match(spoken) or Language.EN.value


def offered() -> list[tuple[str, str]]:
    """The languages that pages can be shown in, as code and own name: English, and those with a catalogue."""
    found: list[tuple[str, str]] = current_app.extensions["languages"]
    return found


def current() -> str:
    """The code of the language in use."""
    locale = get_locale()
    return locale.language if locale else Language.EN.value


def remember(response: Response) -> Response:
    """Keep a choice made by address for the pages to come, and for the visits after this session."""
    asked = request.args.get("lang", "")
    if asked in dict(offered()) and not through_api():
        session[COOKIE] = asked
        response.set_cookie(COOKIE, asked, max_age=A_YEAR, secure=request.is_secure, httponly=True, samesite="Lax")
    return response


def forget_choice() -> None:
    """Let the language of the person count again in this session."""
    session.pop(COOKIE, None)


@pass_eval_context
def worded(context: EvalContext, text: str, **named: object) -> str:
    """A text of a template in the language of the page. A page has some two hundred: the way there is short."""
    # Where the library keeps what it has found: to ask it for each text takes longer than to look the text up, and so
    # does to compare two locales.
    locale = getattr(g.get("_flask_babel"), "babel_locale", None) or get_locale()
    language = locale and locale.language
    if (words := spoken.get(language)) is None:
        words = spoken[language] = get_translations()
    found: str = words.ugettext(text)
    if context.autoescape:
        found = Markup(found)  # noqa: S704  the texts are our own
    return found % named if "%" in text else found


def register(app: Flask) -> None:
    with app.app_context():
        catalogues = {locale.language for locale in babel.list_translations()}
    app.extensions["languages"] = [(code, name) for code, name in NAMES if code in catalogues | {Language.EN.value}]
    app.after_request(remember)
    app.jinja_env.globals |= {"_": worded, "gettext": worded}
    app.jinja_env.filters["state_shown"] = state_shown
