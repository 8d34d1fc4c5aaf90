"""The background worker: `huey_consumer credits.worker.huey`. It does by the clock what nobody asks for."""

import gc
import logging
import os

from flask import Flask
from huey import Huey, PostgresHuey, SqliteHuey, crontab
from huey.serializer import SignedSerializer

from config import Settings, load
from credits import document_jobs, jobs, market_rounds, premium_jobs, standing_jobs
from credits.app import create_app
from credits.delivered import certify
from credits.drawing import draw_statements_waiting, workshop
from credits.extensions import db
from credits.identity import now
from credits.letters import deliver
from credits.log_keys import log_keys
from credits.payments.models import PaymentState
from credits.provider import means_taken, till
from credits.published import announce_document_key

log = logging.getLogger(__name__)


def queue(settings: Settings) -> Huey:
    """Where background work waits: beside the SQLite file, or in the same PostgreSQL."""
    # Signed, since a task is unpickled: who can write to the queue must not thereby run code here.
    signed = SignedSerializer(secret=settings.secret_key)
    if settings.queue_file is not None:
        return SqliteHuey("credits", filename=str(settings.queue_file), fsync=True, results=False, serializer=signed)
    return PostgresHuey("credits", dsn=settings.database_url, results=False, serializer=signed)


HALF_A_MINUTE = 30  # seconds
LESS_URGENT = 10  # of 19: still a tenth of what a web process gets, where all want the same core


class LastLook:
    """Where the sequencer of this process may begin to look; another process begins anew."""

    since = 0


app: Flask = create_app(load(os.environ))
huey = queue(app.extensions["settings"])


@huey.task()
@huey.lock_task("draw-waiting")
def draw_waiting() -> None:
    """Draw some of the certificates that are in the log; where more of them wait, the rest after what else waits."""
    with app.app_context():
        if document_jobs.draw_waiting(db.session(), workshop=workshop(), at=now()) == document_jobs.AT_A_TIME:
            draw_waiting()


@huey.task()
@huey.lock_task("draw-records")
def draw_records() -> None:
    """Draw some of the other documents that are in the log; where more of them wait, the rest after what else waits."""
    with app.app_context():
        drawn = document_jobs.draw_records(db.session(), workshop=workshop(), at=now())
        if drawn == document_jobs.RECORDS_AT_A_TIME:
            draw_records()


@huey.periodic_task(crontab(minute="*"))
@huey.lock_task("draw-statements")
def draw_statements() -> None:
    """Draw the verification statements that nobody has asked for yet."""
    with app.app_context():
        draw_statements_waiting()


@huey.periodic_task(crontab(minute="*/2"))
@huey.lock_task("assess-risks")
def assess_risks() -> None:
    """Assess the batches that wait, for the order of the queue."""
    with app.app_context():
        jobs.assess_risks(db.session(), policy=app.extensions["policy"], at=now())


@huey.periodic_task(crontab(minute="*/10"))
@huey.lock_task("expire-transfers")
def expire_transfers() -> None:
    """Give back what was offered and not answered in time."""
    with app.app_context():
        jobs.expire_transfers(db.session(), at=now())


@huey.periodic_task(crontab(minute="*/5"))
@huey.lock_task("take-up-imports")
def take_up_imports() -> None:
    """Go on with files of many rows whose process has ended in the middle."""
    with app.app_context():
        jobs.take_up_imports(db.session(), at=now())


@huey.periodic_task(crontab(minute="25", hour="*"))
@huey.lock_task("drop-uploads")
def drop_uploads() -> None:
    """Forget the files in pieces that nobody finished in time."""
    with app.app_context():
        parts, policy = app.extensions["evidence_parts"], app.extensions["policy"]
        jobs.drop_abandoned_uploads(db.session(), parts=parts, policy=policy, at=now())


@huey.periodic_task(crontab(minute="35", hour="*/6"))
@huey.lock_task("drop-unreferred-files")
def drop_unreferred_files() -> None:
    """Delete the files of papers that were taken away some hours ago."""
    with app.app_context():
        files, policy = app.extensions["evidence_files"], app.extensions["policy"]
        jobs.drop_unreferred_files(db.session(), files=files, policy=policy, at=now())


@huey.periodic_task(crontab(minute="15", hour="*"))
@huey.lock_task("draw-late")
def draw_late() -> None:
    """Draw another verifier for what was not taken in time."""
    with app.app_context():
        jobs.draw_late(db.session(), policy=app.extensions["policy"], at=now())


@huey.periodic_task(crontab(minute="5", hour="*"))
@huey.lock_task("expire-credits")
def expire_credits() -> None:
    """Take what is past its last day out of circulation."""
    with app.app_context():
        jobs.expire_credits(db.session(), policy=app.extensions["policy"], at=now())


@huey.periodic_task(crontab(minute="15", hour="*"))
@huey.lock_task("run-site-clocks")
def run_site_clocks() -> None:
    """Suspend sites whose probation ended without mitigation, put those with an overdue major finding on probation."""
    with app.app_context():
        jobs.run_site_clocks(db.session(), policy=app.extensions["policy"], at=now())


@huey.periodic_task(crontab(minute="20", hour="*"))
@huey.lock_task("warn-of-expiry")
def warn_of_expiry() -> None:
    """Tell the holders whose credits expire soon."""
    with app.app_context():
        jobs.warn_of_expiry(db.session(), policy=app.extensions["policy"], at=now())


@huey.periodic_task(crontab(minute="*/2"))
@huey.lock_task("poll-checkouts")
def poll_checkouts() -> None:
    """Ask the provider about checkouts that no event has told of, and for the money that goes back."""
    with app.app_context():
        if (asked := till(app)) is not None:
            market_rounds.poll(db.session(), till=asked, at=now())
            market_rounds.send_refunds(db.session(), gateway=asked.gateway, at=now())


@huey.periodic_task(crontab(minute="40", hour="*"))
@huey.lock_task("poll-debits")
def poll_debits() -> None:
    """Ask the provider about money that clears later."""
    with app.app_context():
        if (asked := till(app)) is not None:
            market_rounds.poll(db.session(), till=asked, at=now(), states=[PaymentState.PROCESSING])


@huey.periodic_task(crontab(minute="*/10"))
@huey.lock_task("tend-orders")
def tend_orders() -> None:
    """Deliver what waits, give back what ended orders keep, take what is disputed, end what nobody pays."""
    with app.app_context():
        market_rounds.deliver_waiting(db.session(), policy=app.extensions["policy"], certify=certify, at=now())
        market_rounds.release_leftovers(db.session(), at=now())
        market_rounds.follow_disputes(db.session(), at=now())
        market_rounds.lapse_transfers(db.session(), at=now())
        market_rounds.lapse_orders(db.session(), policy=app.extensions["policy"], at=now())


@huey.periodic_task(crontab(minute="*/5"))
@huey.lock_task("serve-standing")
def serve_standing() -> None:
    """Order what has come on offer for whoever waits for it."""
    with app.app_context():
        asked = {"policy": app.extensions["policy"], "means": means_taken(app), "at": now()}
        standing_jobs.serve_waiting(db.session(), **asked)


@huey.periodic_task(crontab(minute="10", hour="3"))
@huey.lock_task("reconcile-money")
def reconcile_money() -> None:
    """Catch up with the provider, then compare its books with ours, and say where they part."""
    with app.app_context():
        asked = till(app)
        if asked is not None:
            market_rounds.catch_up(db.session(), till=asked, at=now())
        found = market_rounds.reconcile(db.session(), gateway=asked.gateway if asked else None, at=now())
        for each in found.disagreements:
            log.error("The books of money disagree: %s: %s (%s)", each.subject, each.says, each.kind)


@huey.periodic_task(crontab(minute="30", hour="5"))
@huey.lock_task("warn-of-overdue")
def warn_of_overdue() -> None:
    """Tell the issuers of premium that sites wait too long for."""
    with app.app_context():
        premium_jobs.warn_of_overdue(db.session(), policy=app.extensions["policy"], at=now())


@huey.periodic_task(crontab(minute="*"))
@huey.lock_task("send-notices")
def send_notices() -> None:
    """Mail what people were told."""
    with app.app_context():
        jobs.send_notices(db.session(), deliver=deliver, at=now())


@huey.task()
@huey.lock_task("publish-log")
def publish_log() -> None:
    """Put what was committed into the log, under a signed checkpoint."""
    with app.app_context():
        data_dir = app.extensions["settings"].data_dir
        announce_document_key()  # before it signs anything under this checkpoint
        done = jobs.publish_log(db.session(), keys=log_keys(), data_dir=data_dir, at=now(), since=LastLook.since)
        LastLook.since = done.since
    draw_waiting()
    draw_records()


@huey.periodic_task(crontab(minute="*"))
def publish_twice() -> None:
    """The clock of periodic work strikes once a minute, too seldom for the log: publish now and once in between."""
    publish_log()
    publish_log.schedule(delay=HALF_A_MINUTE)


@huey.on_startup()
def let_pages_go_first() -> None:
    """Somebody waits for a page, and nobody for a certificate to the second. Of this thread alone, on Linux."""
    os.nice(LESS_URGENT)


@huey.on_startup()
def publish_at_once() -> None:
    gc.collect()
    gc.freeze()  # what stays to the end is looked through no more: a certificate is drawn a sixth faster
    publish_log()
