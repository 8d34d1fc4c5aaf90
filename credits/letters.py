"""Mail leaves after the answer has: no visitor waits for a mail server, learns from the wait who has an account,
or holds the database's write lock meanwhile."""

import logging
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, after_this_request, current_app, render_template
from flask_babel import force_locale, gettext
from flask_mailman import EmailMessage
from flask_security import MailUtil

from credits.notices.outbox import Letter
from credits.notices.wordings import wording
from credits.participants.models import Language

log = logging.getLogger(__name__)


def send_later(subject: str, body: str, recipient: str) -> None:
    """Send a plain text once the answer to this request is out. A failure is logged, the request has succeeded."""
    message = EmailMessage(str(subject), body, to=[recipient])
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]

    @after_this_request
    def when_answered(response: Response) -> Response:
        response.call_on_close(lambda: _send(app, message))
        return response


def deliver(letter: Letter) -> None:
    """Send a notice as mail now, in the language of its reader. Raises what the mail library does."""
    spoken = [code for code, _name in current_app.extensions["languages"]]
    language = letter.language.value
    with force_locale(language if language in spoken else Language.EN.value):
        said = wording(letter.kind, letter.facts, gettext)
        url = current_app.extensions["settings"].public_url
        body = render_template("emails/notice.txt", name=letter.name, said=said, address=f"{url}{said.path}")
    # Always the same: should it leave twice, a mailbox shows it once.
    headers = {"Message-ID": f"<notice-{letter.notice_id}@{urlsplit(url).hostname}>"}
    EmailMessage(said.title, body, to=[letter.email], headers=headers).send()


class LaterMail(MailUtil):
    """The letters of the sign-in library, by the same way."""

    def send_mail(self, template: str, subject: str, recipient: Any, *letter: Any, **more: Any) -> None:
        _sender, body, _html = letter
        send_later(subject, body, recipient)


def _send(app: Flask, message: EmailMessage) -> None:
    with app.app_context():
        try:
            message.send()
        except Exception:  # whatever it is, the answer is out already
            log.exception("A mail could not be sent.")
