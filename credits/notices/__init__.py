"""What people are told: on the page "Notices" and by mail, in their own language.

`tell(session, to=…, kind=Kind.…, facts={…}, at=…)` writes a notice for each person concerned, in the transaction of
the change itself. The worker sends it as mail after the commit, as often as it takes.

Who is told of what follows from the journal. Before `db.session` commits, `tell_of_events` turns the events that the
transaction has appended into notices, so that no page, API call, command or job can forget it and none is told what
was undone. To tell people of something more:

1. add its `Kind` in `words/wording.py`, and its `Wording` in the module of `words` for its subject: all the words, and
   the page where one goes on;
2. write a function that takes the session and the occurrence of an event and calls `tell`, in `credits_told.py`,
   `batches_told.py` or a module beside them, and name it in the table `TOLD` of `occurrences.py`; in `TOLD_TOGETHER`,
   with all occurrences of the transaction, where there may be thousands.

Whoever stands above this room may also call `tell` itself, before the commit.
"""

from credits.notices.occurrences import tell_of_events
from credits.notices.telling import issuers, tell, tell_each
from credits.notices.wordings import Kind

__all__ = ["Kind", "issuers", "tell", "tell_each", "tell_of_events"]
