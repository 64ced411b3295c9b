"""The Cosmos SDK of Python, unmodified, against SYNCSCOPE_COSMOS (a connection string)."""

import os
import sys
import traceback
import uuid

from azure.core import MatchConditions
from azure.cosmos import CosmosClient, PartitionKey, exceptions

CONNECTION = os.environ["SYNCSCOPE_COSMOS"]
# The certificate that the emulator exports; absent over plain http.
VERIFY = os.environ.get("SYNCSCOPE_COSMOS_PEM") or True
FAILED = 0


def connect(connection=CONNECTION):
    return CosmosClient.from_connection_string(connection, connection_verify=VERIFY)


def check(function):
    """Runs it now and counts a failure."""
    global FAILED
    try:
        function()
        print(f"ok   {function.__doc__}")
    except Exception:
        FAILED += 1
        print(f"FAIL {function.__doc__}")
        traceback.print_exc(file=sys.stdout)


def refused(status, function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except exceptions.CosmosHttpResponseError as error:
        assert error.status_code == status, error
    else:
        raise AssertionError(f"not refused with {status}")


client = connect()
database = client.create_database_if_not_exists(f"python-{uuid.uuid4()}")
container = database.create_container_if_not_exists("prices", PartitionKey("/id"))


@check
def crud():
    """create, read, replace, delete with If-Match"""
    made = container.create_item({"id": "p-1", "price": 12.5})
    refused(409, container.create_item, {"id": "p-1"})
    match = {"etag": made["_etag"], "match_condition": MatchConditions.IfNotModified}
    replaced = container.replace_item("p-1", dict(made, price=13), **match)
    assert replaced["_etag"] != made["_etag"]
    refused(412, container.replace_item, "p-1", dict(made, price=14), **match)
    refused(412, container.delete_item, "p-1", "p-1", **match)
    assert container.read_item("p-1", "p-1")["price"] == 13
    patched = container.patch_item("p-1", "p-1", [{"op": "incr", "path": "/price", "value": 2}])
    assert patched["price"] == 15
    container.delete_item("p-1", "p-1")
    refused(404, container.read_item, "p-1", "p-1")


@check
def odd_ids():
    """odd ids"""
    for name in ["a b", "100%", '"q"', "it's", "🍏", "سعر", "x==..0", "a+b&c=d;"]:
        container.upsert_item({"id": name})
        assert container.read_item(name, name)["id"] == name
        container.delete_item(name, name)


@check
def queries():
    """queries: parameters, ORDER BY, COUNT, GROUP BY, pages"""
    for n in range(30):
        container.upsert_item({"id": f"q-{n}", "n": n, "kind": "odd" if n % 3 else "third"})

    def query(text, *parameters, **options):
        options.setdefault("enable_cross_partition_query", True)
        named = [{"name": name, "value": value} for name, value in parameters]
        return container.query_items(text, parameters=named, **options)

    found = query(
        "SELECT * FROM c WHERE STARTSWITH(c.id, @p) AND c.n >= @n ORDER BY c.n DESC",
        ("@p", "q-"),
        ("@n", 20),
    )
    assert [item["n"] for item in found] == list(range(29, 19, -1))
    assert list(query('SELECT VALUE c.n FROM c WHERE c["id"] = "q-7"')) == [7]
    assert list(query("SELECT VALUE COUNT(1) FROM c WHERE STARTSWITH(c.id, 'q-')")) == [30]
    groups = query(
        "SELECT c.kind, COUNT(1) AS many FROM c WHERE c.id = 'q-3' GROUP BY c.kind", partition_key="q-3"
    )
    assert list(groups) == [{"kind": "third", "many": 1}]
    pages = query("SELECT VALUE c.n FROM c WHERE IS_DEFINED(c.n)", max_item_count=4).by_page()
    assert {n for page in pages for n in page} == set(range(30))
    assert len(list(container.read_all_items(max_item_count=7))) == 30


@check
def batch():
    """transactional batch"""
    results = container.execute_item_batch(
        [
            ("create", ({"id": "b-1", "n": 1},)),
            ("patch", ("b-1", [{"op": "incr", "path": "/n", "value": 4}])),
        ],
        partition_key="b-1",
    )
    assert [result["statusCode"] for result in results] == [201, 200]
    assert container.read_item("b-1", "b-1")["n"] == 5


@check
def change_feed():
    """change feed: beginning, continuation, now, by key, by range"""
    fed = database.create_container_if_not_exists("fed", PartitionKey("/id"))
    for n in range(25):
        fed.upsert_item({"id": f"f-{n}", "n": n})

    def read(**options):
        seen = list(fed.query_items_change_feed(max_item_count=3, **options))
        return seen, fed.client_connection.last_response_headers["etag"]

    first, token = read(start_time="Beginning")
    assert len(first) == 25 and len({item["id"] for item in first}) == 25
    assert all(isinstance(item["_lsn"], int) for item in first)
    now, now_token = read(start_time="Now")
    assert now == []
    fed.upsert_item({"id": "f-3", "n": 100})
    fed.delete_item("f-4", "f-4")
    for continuation in (token, now_token):
        assert [item["n"] for item in read(continuation=continuation)[0]] == [100]
    by_key, _ = read(start_time="Beginning", partition_key="f-7")
    assert [item["id"] for item in by_key] == ["f-7"]
    by_range = [
        item["id"] for each in fed.read_feed_ranges() for item in read(start_time="Beginning", feed_range=each)[0]
    ]
    assert len(by_range) == 24 and len(set(by_range)) == 24


@check
def administration():
    """containers and databases: list, delete; a wrong key"""
    assert sorted(each["id"] for each in database.list_containers()) == ["fed", "prices"]
    assert database.id in [each["id"] for each in client.list_databases()]
    client.delete_database(database.id)
    refused(404, database.read)
    head, _, _ = CONNECTION.partition("AccountKey=")
    refused(401, connect, f"{head}AccountKey=d3Jvbmc=;")


sys.exit(1 if FAILED else 0)
