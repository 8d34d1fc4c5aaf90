"""How gunicorn serves the registry in production: `gunicorn wsgi:app`."""

import multiprocessing
import os

from config import load

settings = load(os.environ)

bind = f"{settings.host}:{settings.port}"
# Single-threaded processes answered short reads twice as fast as threads did.
# Three for two cores: some wait for the database, and of more each finds its memory put out of the cores' caches.
workers = int(os.environ.get("WEB_CONCURRENCY", max(2, 3 * multiprocessing.cpu_count() // 2)))
worker_class = "sync"
timeout = 30  # seconds; an upload of evidence on a slow link is buffered by the proxy in front
graceful_timeout = 30
max_requests = 5_000  # a worker that has grown is replaced, not all at once
max_requests_jitter = 500
accesslog = "-"
# One socket a user would be shared by all registries that the user runs.
control_socket_disable = True
