"""What somebody looked at before deciding on a batch: nobody confirms figures or papers that they never saw."""

import hashlib

from credits.registry.making.batches import ChangedMeanwhile
from credits.registry.production import Batch


def revision_of(batch: Batch) -> str:
    """What stands of a batch now, as one word: another after any change of figures, papers or the site's answers."""
    stands = [str(batch.revision), batch.site.mercury.value, *(paper.sha256 for paper in batch.evidence)]
    return f"{batch.revision}-{hashlib.sha256(' '.join(stands).encode()).hexdigest()[:16]}"


def must_be_as_seen(batch: Batch, seen: str) -> None:
    """Raise ChangedMeanwhile unless the batch, locked and read anew, is still what a person has looked at."""
    if revision_of(batch) != seen:
        raise ChangedMeanwhile(
            "Figures, papers or the site's answers were changed since you looked at them. "
            "Look at the batch again before you confirm it."
        )
