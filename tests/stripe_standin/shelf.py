"""What Stripe keeps: its objects by kind and id, how a list of them is asked for, and how each is shown."""

import copy
from collections.abc import Callable
from typing import Any

from tests.stripe_standin.params import Refused

Thing = dict[str, Any]
Things = dict[str, dict[str, Thing]]  # by their kind and id

TABLES = {
    "checkout.session": "cs_test_",
    "payment_intent": "pi_",
    "charge": "ch_",
    "refund": "re_",
    "dispute": "du_",
    "event": "evt_",
}
# What a field that holds an id leads to.
LEADS = {"payment_intent": "payment_intent", "latest_charge": "charge", "charge": "charge"}


class Shelf:
    """Everything of one account, on a clock that can be moved.

    clock: seconds since 1970. seed: a part of every id, so that another run's are told apart.
    """

    def __init__(self, clock: Callable[[], float], seed: str) -> None:
        self._clock = clock
        self.offset = 0.0
        self.seed = seed
        self.things: Things = {kind: {} for kind in TABLES}

    def now(self) -> int:
        return int(self._clock() + self.offset)

    def catch_up(self) -> None:
        """Let happen what is due by now."""
        raise NotImplementedError

    def find(self, kind: str, reference: str) -> Thing:
        self.catch_up()
        try:
            return self.things[kind][reference]
        except KeyError:
            message = f"No such {kind}: '{reference}'"
            raise Refused(404, message, code="resource_missing", param=kind.rpartition(".")[2]) from None

    def listed(self, kind: str, asked: Thing) -> Thing:
        """A page of a list, the newest first."""
        self.catch_up()
        found = [thing for thing in reversed(self.things[kind].values()) if fits(thing, asked)]
        ids = [thing["id"] for thing in found]
        if after := asked.get("starting_after"):
            if after not in ids:
                raise Refused(400, f"No such {kind}: '{after}'", code="resource_missing", param="starting_after")
            found = found[ids.index(after) + 1 :]
        limit = asked.get("limit", 10)
        if not 1 <= limit <= 100:
            raise Refused(400, "Invalid limit: 1 to 100", param="limit")
        return {"object": "list", "data": found[:limit], "has_more": len(found) > limit, "url": "/v1/"}

    def _keep(self, kind: str, **fields: Any) -> Thing:
        shelf = self.things[kind]
        reference = f"{TABLES[kind]}{self.seed}{len(shelf) + 1:08d}"
        shelf[reference] = {"id": reference, "object": kind, "created": self.now(), "livemode": False} | fields
        return shelf[reference]

    def _tell(self, kind: str, about: Thing) -> None:
        self._keep("event", type=kind, data={"object": self.shown(copy.deepcopy(about), [])}, pending_webhooks=1)

    # How it is shown

    def shown(self, thing: Thing, expand: list[str]) -> Thing:
        """A thing as the API shows it: with ids for what it leads to, unless that was asked for. Raises Refused."""
        out = {name: value for name, value in thing.items() if name not in {"payment_intent_data", "line_items"}}
        if thing["object"] == "list":
            deeper = [path.removeprefix("data.") for path in expand]
            if any(path == before for path, before in zip(deeper, expand, strict=True)):
                raise Refused(400, "What is expanded in a list begins with `data.`.", param="expand")
            return out | {"data": [self.shown(each, deeper) for each in thing["data"]]}
        for path in expand:
            if path.count(".") > 3:
                raise Refused(400, "You cannot expand more than 4 levels of a property.", param="expand")
        for field in {path.partition(".")[0] for path in expand}:
            deeper = [rest for path in expand for head, _, rest in [path.partition(".")] if head == field and rest]
            out[field] = self._expanded(thing, field, deeper)
        return out

    def _expanded(self, thing: Thing, field: str, deeper: list[str]) -> Any:
        if field == "refunds" and thing["object"] == "charge":
            found = [each for each in reversed(self.things["refund"].values()) if each["charge"] == thing["id"]]
            return {"object": "list", "data": [self.shown(each, []) for each in found], "has_more": False}
        if field not in LEADS or field not in thing:
            raise Refused(400, f"This property cannot be expanded ({field}).", param="expand")
        reference = thing[field]
        return self.shown(self.things[LEADS[field]][reference], deeper) if reference else None


def fits(thing: Thing, asked: Thing) -> bool:
    created = asked.get("created") or {}
    if isinstance(created, int):
        created = {"gte": created, "lte": created}
    at = thing["created"]
    within = created.get("gte", at) <= at <= created.get("lte", at) and created.get("gt", at - 1) < at < created.get(
        "lt", at + 1
    )
    words = ("payment_intent", "charge", "status", "type")
    among = thing.get("type") in asked["types"] if "types" in asked else True
    return within and among and all(thing.get(word) == asked[word] for word in words if word in asked)
