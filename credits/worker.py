"""The background worker: `huey_consumer credits.worker.huey`. It does by the clock what nobody asks for."""

import os

from flask import Flask
from huey import Huey, PostgresHuey, SqliteHuey, crontab

from config import Settings, load
from credits import jobs
from credits.app import create_app
from credits.extensions import db
from credits.identity import now


def queue(settings: Settings) -> Huey:
    """Where background work waits: beside the SQLite file, or in the same PostgreSQL."""
    if settings.queue_file is not None:
        return SqliteHuey("credits", filename=str(settings.queue_file), fsync=True, results=False)
    return PostgresHuey("credits", dsn=settings.database_url, results=False)


app: Flask = create_app(load(os.environ))
huey = queue(app.extensions["settings"])


@huey.periodic_task(crontab(minute="*"))
@huey.lock_task("draw-waiting")
def draw_waiting() -> None:
    """Draw the certificates that were not drawn right after their retirement."""
    with app.app_context():
        jobs.draw_waiting(db.session(), files=app.extensions["certificate_files"], at=now())


@huey.periodic_task(crontab(minute="*/10"))
@huey.lock_task("expire-transfers")
def expire_transfers() -> None:
    """Give back what was offered and not answered in time."""
    with app.app_context():
        jobs.expire_transfers(db.session(), at=now())
