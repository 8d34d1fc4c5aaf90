"""The registry as `wsgi:app` serves it, and one route that answers with nothing: what a request costs by itself."""

from wsgi import app

app.add_url_rule("/empty", "empty", lambda: "")
