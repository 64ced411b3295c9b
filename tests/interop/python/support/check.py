"""What the scripts share: the client, checks that end the script at the first difference, and the doors that
the emulator opens to tests."""

import json
import os
import re
import sys
import threading
import time
import traceback
import urllib.request
import uuid

from azure.cosmos import CosmosClient, exceptions

CONNECTION = os.environ["SYNCSCOPE_COSMOS"]
# The certificate that the emulator exports; absent over plain http.
VERIFY = os.environ.get("SYNCSCOPE_COSMOS_PEM") or True


def connect(connection=CONNECTION):
    """A client of its own."""
    return CosmosClient.from_connection_string(connection, connection_verify=VERIFY)


client = connect()


def fresh(name):
    """A database of this script alone."""
    return client.create_database_if_not_exists(f"python-{name}-{uuid.uuid4()}")


def check(function):
    """Runs it now; one line for it, and the end of the script if it fails."""
    began = time.monotonic()
    try:
        found = function()
    except Exception:  # pylint: disable=broad-except
        print(f"FAIL python: {function.__doc__}")
        traceback.print_exc(file=sys.stdout)
        sys.exit(1)
    took = f"{(time.monotonic() - began) * 1000:.0f} ms"
    print(f"ok   python: {function.__doc__} ({found}, {took})" if found else f"ok   python: {function.__doc__} ({took})")


def same(found, expected):
    """Equal, with both sides in the message."""
    assert found == expected, f"\n  found    {found}\n  expected {expected}"


def refused(status, function, *args, **kwargs):
    """The call is refused with this status; the error."""
    try:
        function(*args, **kwargs)
    except exceptions.CosmosHttpResponseError as error:
        same(error.status_code, status)
        return error
    raise AssertionError(f"not refused with {status}")


def until(what, holds):
    """Waits for a condition, at most 20 s."""
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.05)


ENDPOINT = re.search("AccountEndpoint=([^;]*)", CONNECTION).group(1)


def _control(path, body):
    # http is served beside https on the same port.
    url = re.sub("^https", "http", ENDPOINT) + f"_emulator/{path}"
    request = urllib.request.Request(
        url, data=json.dumps(body).encode(), headers={"content-type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def split(database, container, number):
    """Splits a physical range; the ids of its children."""
    return _control("split", {"database": database.id, "container": container.id, "range": number})["ranges"]


def merge(database, container, numbers):
    """Merges two neighbouring ranges; the id of what they become."""
    return _control("merge", {"database": database.id, "container": container.id, "ranges": numbers})["range"]


class Writer:
    """Writes ever newer versions of `ids` documents, in three threads, until stopped; knows the last of each."""

    LANES = 3

    def __init__(self, database, container, ids):
        self.last = {}
        self.writes = 0
        self._stopped = threading.Event()
        self._ids = ids
        self._failed = None
        self._containers = [
            connect().get_database_client(database.id).get_container_client(container.id) for _ in range(self.LANES)
        ]

    def _write(self, lane, number):
        name = f"w-{number}"
        version = self.last.get(name, 0) + 1
        self._containers[lane].upsert_item({"id": name, "version": version})
        self.last[name] = version
        self.writes += 1

    def fill(self):
        """Each document once."""
        for number in range(self._ids):
            self._write(0, number)

    def _run(self, lane):
        # Each lane has its own documents: a document's versions are written in order.
        try:
            number = lane
            while not self._stopped.is_set():
                self._write(lane, number)
                number = number + self.LANES if number + self.LANES < self._ids else lane
        except Exception as error:  # pylint: disable=broad-except
            self._failed = error

    def start(self):
        """Writes go on from here."""
        self._threads = [threading.Thread(target=self._run, args=(lane,)) for lane in range(self.LANES)]
        for thread in self._threads:
            thread.start()

    def stop(self):
        """Until here."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        if self._failed:
            raise self._failed
