"""redis-py against the Redis at SYNCSCOPE_REDIS (redis://host:port). One line a check; exit 0 = all passed.

Uses keys that start with "redis-py:" only.
"""

import os
import sys
import time

import redis

URL = os.environ["SYNCSCOPE_REDIS"]
KEYS = [f"redis-py:{name}" for name in ("a", "b", "h", "brief", "n", "tx", "watched", "tracked")]


def check(name):
    """Runs the function at once and tells that it passed."""

    def run(function):
        function()
        print(f"ok redis-py: {name}", flush=True)

    return run


def raises(kind, text, call):
    try:
        call()
    except kind as error:
        assert text in str(error), error
    else:
        raise AssertionError(f"{kind.__name__} expected")


for protocol in (2, 3):
    client = redis.Redis.from_url(URL, protocol=protocol, decode_responses=True, client_name="interop")

    @check(f"RESP{protocol}: connects")
    def _():
        assert client.ping() is True
        assert client.client_getname() == "interop"
        assert client.info("server")["redis_version"]
        client.delete(*KEYS)

    @check(f"RESP{protocol}: reads and writes strings")
    def _():
        assert client.set("redis-py:a", '{"price":39.9}') is True
        assert client.get("redis-py:a") == '{"price":39.9}'
        assert client.set("redis-py:a", "x", nx=True) is None
        assert client.get("redis-py:nobody") is None
        assert client.mget("redis-py:a", "redis-py:nobody") == ['{"price":39.9}', None]
        raw = redis.Redis.from_url(URL, protocol=protocol)
        raw.set("redis-py:b", b"\x00\xff\r\n\x00")
        assert raw.get("redis-py:b") == b"\x00\xff\r\n\x00"
        raw.close()
        assert client.incrby("redis-py:n", 5) == 5
        assert client.strlen("redis-py:a") == 14 and client.getrange("redis-py:a", 0, 0) == "{"

    @check(f"RESP{protocol}: reads and writes hashes")
    def _():
        fields = {"absexp": "-1", "sldexp": "-1", "data": "{}"}
        assert client.hset("redis-py:h", mapping=fields) == 3
        assert client.hgetall("redis-py:h") == fields
        assert client.hmget("redis-py:h", ["data", "none"]) == ["{}", None]
        assert dict(client.hscan_iter("redis-py:h")) == fields

    @check(f"RESP{protocol}: errors are those of Redis")
    def _():
        raises(redis.ResponseError, "WRONGTYPE", lambda: client.get("redis-py:h"))
        raises(redis.ResponseError, "unknown command", lambda: client.execute_command("NOSUCHCOMMAND"))

    @check(f"RESP{protocol}: expiry")
    def _():
        assert client.set("redis-py:brief", "1", ex=100) is True
        assert 90_000 < client.pttl("redis-py:brief") <= 100_000
        assert client.persist("redis-py:brief") in (True, 1)
        assert client.ttl("redis-py:brief") == -1
        client.set("redis-py:brief", "1", px=30)
        until = time.monotonic() + 5
        while client.exists("redis-py:brief"):
            assert time.monotonic() < until, "it does not expire"

    @check(f"RESP{protocol}: pipeline of 1,000, found by scan")
    def _():
        pipe = client.pipeline(transaction=False)
        for number in range(1000):
            pipe.set(f"redis-py:p:{number}", f"v{number}")
        assert all(pipe.execute())
        found = set(client.scan_iter("redis-py:p:*", count=100))
        assert len(found) == 1000
        assert client.unlink(*found) == 1000

    @check(f"RESP{protocol}: transactions")
    def _():
        pipe = client.pipeline()
        assert pipe.set("redis-py:tx", "1").get("redis-py:tx").execute() == [True, "1"]
        pipe.watch("redis-py:watched")
        client.set("redis-py:watched", "other")
        pipe.multi()
        pipe.set("redis-py:watched", "mine")
        raises(redis.WatchError, "Watched", pipe.execute)

    @check(f"RESP{protocol}: keyspace notifications")
    def _():
        before = client.config_get("notify-keyspace-events")["notify-keyspace-events"]
        client.config_set("notify-keyspace-events", "KEA")
        listener = client.pubsub(ignore_subscribe_messages=True)
        listener.psubscribe("__keyevent@*__:set")
        until = time.monotonic() + 5
        message = None
        while message is None:
            assert time.monotonic() < until, "no notification"
            client.set("redis-py:a", "changed")
            message = listener.get_message(timeout=0.2)
        assert message["data"] == "redis-py:a" and message["channel"].endswith(":set"), message
        listener.close()
        client.config_set("notify-keyspace-events", before)

    @check(f"RESP{protocol}: other databases")
    def _():
        other = redis.Redis.from_url(URL, protocol=protocol, db=9)
        other.set("redis-py:only9", "1")
        assert client.exists("redis-py:only9") == 0
        assert other.delete("redis-py:only9") == 1
        other.close()

    client.delete(*KEYS)
    client.close()


@check("RESP3: follows changes by CLIENT TRACKING … BCAST")
def _():
    tracker = redis.Redis.from_url(URL, protocol=3, decode_responses=True, single_connection_client=True)
    writer = redis.Redis.from_url(URL)
    seen = []
    tracker.connection._parser.set_invalidation_push_handler(lambda push: seen.append(push[1]))
    assert tracker.execute_command("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "redis-py:t") in ("OK", True)
    writer.set("redis-py:tracked", "1")
    until = time.monotonic() + 5
    while not seen:
        assert time.monotonic() < until, "no invalidation"
        tracker.ping()
    assert seen[0] == ["redis-py:tracked"], seen
    writer.delete("redis-py:tracked")
    tracker.close()
    writer.close()


sys.exit(0)
