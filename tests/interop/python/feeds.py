"""The Cosmos SDK of Python, unmodified, against SYNCSCOPE_COSMOS: change feeds across splits and merges while
others write. Every id is counted."""

import datetime
import threading
import time

from azure.cosmos import PartitionKey, exceptions

from support.check import Writer, check, client, connect, fresh, merge, same, split, until

database = fresh("feeds")


def made(name, **options):
    return database.create_container_if_not_exists(name, PartitionKey("/id"), **options)


class Feed:
    """Pages of a change feed; after each, the continuation to go on from."""

    def __init__(self, container, **start):
        self.container, self.start, self.token = container, start, None

    def read(self, each, pages=None):
        """So many pages, or up to the end; whether the end was reached."""
        options = {"continuation": self.token} if self.token else self.start
        feed = self.container.query_items_change_feed(max_item_count=5, **options).by_page()
        count = 0
        while pages is None or count < pages:
            page = next(feed, None)
            items = list(page) if page is not None else []
            self.token = self.container.client_connection.last_response_headers["etag"]
            for item in items:
                each(item)
            if not items:
                return True
            count += 1
        return False

    def drain(self):
        """All that is new."""
        seen = []
        self.read(seen.append)
        return seen


class Seen:
    """What a reader of latest versions has seen: the newest version of each id."""

    def __init__(self):
        self.newest, self.items = {}, 0

    def add(self, item):
        name, version = item["id"], item["version"]
        assert version >= self.newest.get(name, 0), f"{name} went backwards to version {version}"
        self.newest[name] = version
        self.items += 1


@check
def starts():
    """from the beginning, a continuation, now, by key"""
    fed = made("fed")
    for n in range(25):
        fed.upsert_item({"id": f"f-{n}", "n": n})
    first, now = Feed(fed, start_time="Beginning"), Feed(fed, start_time="Now")
    seen = first.drain()
    same((len(seen), len({item["id"] for item in seen})), (25, 25))
    assert all(isinstance(item["_lsn"], int) for item in seen)
    same(now.drain(), [])
    fed.upsert_item({"id": "f-3", "n": 100})
    fed.delete_item("f-4", "f-4")
    for feed in (first, now):
        same([item["n"] for item in feed.drain()], [100])
    one = Feed(fed, start_time="Beginning", partition_key="f-7")
    same([item["id"] for item in one.drain()], ["f-7"])
    fed.upsert_item({"id": "f-7", "n": 200})
    fed.upsert_item({"id": "f-8", "n": 200})
    same([item["id"] for item in one.drain()], ["f-7"])


@check
def from_a_time():
    """from a time"""
    timed = made("timed")
    before = timed.upsert_item({"id": "before"})
    until("the next second", lambda: time.time() > before["_ts"] + 1.1)
    after = timed.upsert_item({"id": "after"})

    def since(second):
        at = datetime.datetime.fromtimestamp(second, datetime.timezone.utc)
        return sorted(item["id"] for item in Feed(timed, start_time=at).drain())

    same(since(before["_ts"]), ["after"])
    same(since(before["_ts"] - 1), ["after", "before"])
    same(since(after["_ts"] + 60), [])


@check
def by_range():
    """by feed range: the ranges' parts are disjoint and whole"""
    ranged = made("ranged")
    Writer(database, ranged, 60).fill()
    ranges = list(ranged.read_feed_ranges())
    same(len(ranges), 4)
    found = [item["id"] for each in ranges for item in Feed(ranged, start_time="Beginning", feed_range=each).drain()]
    same((len(found), len(set(found))), (60, 60))


@check
def crossed():
    """the whole feed across two splits and two merges, with writes going on: nothing lost"""
    crossed = made("crossed")
    writer = Writer(database, crossed, 150)
    writer.fill()
    writer.start()
    seen, feed = Seen(), Feed(crossed, start_time="Beginning")
    steps = [(split, 0), (split, 5), (merge, [7, 1]), (merge, [4, 6])]
    for change, what in steps:
        feed.read(seen.add, 6)
        change(database, crossed, what)
        feed.read(seen.add, 6)
        # A client that knows nothing of the ranges goes on from what was written down.
        feed.container = connect().get_database_client(database.id).get_container_client(crossed.id)
    writer.stop()
    feed.read(seen.add)
    same(sorted(seen.newest.items()), sorted(writer.last.items()))
    return f"{writer.writes} writes, {seen.items} delivered"


@check
def apart():
    """one reader a feed range across a split and a merge: each goes on with its part"""
    container = made("apart")
    writer = Writer(database, container, 150)
    writer.fill()
    writer.start()
    readers = [
        (Feed(container, start_time="Beginning", feed_range=each), Seen()) for each in container.read_feed_ranges()
    ]

    def some(pages=None):
        for feed, seen in readers:
            feed.read(seen.add, pages)

    some(3)
    split(database, container, 1)  # 4, 5
    some(3)
    merge(database, container, [5, 2])  # half of the second's range, and the third's
    some(3)
    writer.stop()
    some()
    names = [name for _, seen in readers for name in seen.newest]
    assert len(names) == len(set(names)), "a document came to two readers"
    same(sorted(pair for _, seen in readers for pair in seen.newest.items()), sorted(writer.last.items()))
    return f"{writer.writes} writes"


@check
def versions():
    """all versions and deletes across a split and a merge: every version once, with its images"""
    container = made("versions")
    container.create_item({"id": "earlier", "version": 1})
    feed = Feed(container, mode="AllVersionsAndDeletes", start_time="Now")
    same(feed.drain(), [])
    names, rounds, changes = [f"v-{n}" for n in range(4)], 40, []

    def write():
        own = connect().get_database_client(database.id).get_container_client(container.id)
        for version in range(1, rounds + 1):
            for name in names:
                own.upsert_item({"id": name, "version": version})
                if version % 10 == 0:
                    own.delete_item(name, name)

    live = threading.Thread(target=write)
    live.start()
    feed.read(changes.append, 3)
    split(database, container, 0)
    feed.read(changes.append, 3)
    merge(database, container, [5, 1])
    feed.read(changes.append, 3)
    live.join()
    feed.read(changes.append)
    image = lambda change, which: (change.get(which) or {}).get("version")
    for name in names:
        own = [
            (change["metadata"]["operationType"], image(change, "current"), image(change, "previous"))
            for change in changes
            if name in ((change.get("current") or {}).get("id"), change["metadata"].get("id"))
        ]
        expected = []
        for version in range(1, rounds + 1):
            first = version % 10 == 1
            expected.append(("create" if first else "replace", version, None if first else version - 1))
            if version % 10 == 0:
                expected.append(("delete", None, version))
        same(own, expected)
    return f"{len(changes)} versions"


@check
def hierarchical():
    """by a prefix of a hierarchical key"""
    tenants = database.create_container_if_not_exists("tenants", PartitionKey(["/tenant", "/user"], kind="MultiHash"))
    for tenant in "ab":
        for n in range(6):
            tenants.create_item({"id": str(n), "tenant": tenant, "user": f"u-{n % 3}"})
    for key, expected in [(["a", "u-1"], "14"), (["b"], "012345")]:
        found = Feed(tenants, start_time="Beginning", partition_key=key).drain()
        same("".join(sorted(item["id"] for item in found)), expected)
        same({item["tenant"] for item in found}, {key[0]})


@check
def another():
    """a continuation of another container is refused"""
    feed = Feed(made("fed"), start_time="Beginning")
    feed.drain()
    feed.container = made("ranged")
    try:
        feed.drain()
    except (ValueError, exceptions.CosmosHttpResponseError):
        return
    raise AssertionError("it was read")


client.delete_database(database.id)
