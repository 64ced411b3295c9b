"""The Cosmos SDK of Python, unmodified, against SYNCSCOPE_COSMOS (a connection string): documents, batches,
containers."""

from azure.core import MatchConditions
from azure.cosmos import PartitionKey, ThroughputProperties, exceptions

from support.check import CONNECTION, check, client, connect, fresh, refused, same, until

database = fresh("documents")
container = database.create_container_if_not_exists("prices", PartitionKey("/id"))


def if_match(etag):
    return {"etag": etag, "match_condition": MatchConditions.IfNotModified}


def gone(name, where=container):
    try:
        where.read_item(name, name)
    except exceptions.CosmosResourceNotFoundError:
        return True
    return False


@check
def crud():
    """create, read, replace, delete with If-Match"""
    made = container.create_item({"id": "p-1", "price": 12.5})
    refused(409, container.create_item, {"id": "p-1"})
    match = if_match(made["_etag"])
    replaced = container.replace_item("p-1", dict(made, price=13), **match)
    assert replaced["_etag"] != made["_etag"]
    refused(412, container.replace_item, "p-1", dict(made, price=14), **match)
    refused(412, container.upsert_item, dict(made, price=14), **match)
    refused(412, container.delete_item, "p-1", "p-1", **match)
    same(container.read_item("p-1", "p-1")["price"], 13)
    container.delete_item("p-1", "p-1", **if_match(replaced["_etag"]))
    refused(404, container.read_item, "p-1", "p-1")
    refused(404, container.replace_item, "p-1", made)
    refused(404, container.delete_item, "p-1", "p-1")


@check
def no_response():
    """a write that asks for no content answers without the document"""
    assert not dict(container.create_item({"id": "p-minimal"}, no_response=True))
    assert client.client_connection.last_response_headers["etag"]
    container.delete_item("p-minimal", "p-minimal")


@check
def patch():
    """PATCH: add, set, replace, remove, incr, move; conditions"""
    container.upsert_item({"id": "p-2", "price": 1, "tags": ["a"], "old": {"name": "x"}})

    def patch(*operations, **options):
        return container.patch_item("p-2", "p-2", list(operations), **options)

    item = patch(
        {"op": "incr", "path": "/price", "value": 2},
        {"op": "add", "path": "/tags/-", "value": "c"},
        {"op": "add", "path": "/tags/1", "value": "b"},
        {"op": "set", "path": "/stock", "value": {"count": 7}},
        {"op": "replace", "path": "/stock/count", "value": 8},
        {"op": "move", "from": "/old/name", "path": "/name"},
        {"op": "remove", "path": "/old"},
    )
    same({k: v for k, v in item.items() if not k.startswith("_")}, {
        "id": "p-2", "price": 3, "tags": ["a", "b", "c"], "stock": {"count": 8}, "name": "x"
    })
    sold = {"op": "set", "path": "/sold", "value": True}
    refused(412, patch, sold, filter_predicate="from c where c.price > 10")
    same(patch(sold, filter_predicate="from c where c.price = 3 AND c.name = 'x'")["sold"], True)
    refused(400, patch, {"op": "replace", "path": "/nowhere", "value": 1})
    refused(400, patch, {"op": "remove", "path": "/nowhere"})
    refused(404, container.patch_item, "none", "none", [sold])
    before = container.read_item("p-2", "p-2")
    patch({"op": "incr", "path": "/price", "value": -1.5}, **if_match(before["_etag"]))
    refused(412, patch, {"op": "incr", "path": "/price", "value": 1}, **if_match(before["_etag"]))
    same(container.read_item("p-2", "p-2")["price"], 1.5)


@check
def odd_ids():
    """odd ids"""
    for name in ["a b", "100%", '"q"', "it's", "🍏", "سعر", "x==..0", "a+b&c=d;", "..x", "é" * 80]:
        container.upsert_item({"id": name})
        same(container.read_item(name, name)["id"], name)
        container.delete_item(name, name)


@check
def batch():
    """transactional batch: all or nothing"""
    results = container.execute_item_batch(
        [
            ("create", ({"id": "b-1", "n": 1},)),
            ("patch", ("b-1", [{"op": "incr", "path": "/n", "value": 4}])),
            ("read", ("b-1",)),
        ],
        partition_key="b-1",
    )
    same([result["statusCode"] for result in results], [201, 200, 200])
    same(results[2]["resourceBody"]["n"], 5)
    etag = container.read_item("b-1", "b-1")["_etag"]
    try:
        container.execute_item_batch(
            [
                ("upsert", ({"id": "b-1", "n": 6},)),
                ("replace", ("b-1", {"id": "b-1", "n": 7}), {"if_match_etag": etag}),
                ("delete", ("b-1",)),
            ],
            partition_key="b-1",
        )
    except exceptions.CosmosBatchOperationError as error:
        same((error.error_index, [each["statusCode"] for each in error.operation_responses]), (1, [424, 412, 424]))
    else:
        raise AssertionError("not refused")
    same(container.read_item("b-1", "b-1")["n"], 5)


@check
def read_many():
    """many documents by their ids and keys"""
    names = [f"many-{n}" for n in range(40)]
    for name in names:
        container.upsert_item({"id": name})
    found = container.read_items([(name, name) for name in [*names, "none"]])
    same(sorted(item["id"] for item in found), sorted(names))


@check
def hierarchical():
    """hierarchical keys"""
    tenants = database.create_container_if_not_exists("tenants", PartitionKey(["/tenant", "/user"], kind="MultiHash"))
    for tenant in "ab":
        for n in range(6):
            tenants.create_item({"id": str(n), "tenant": tenant, "user": f"u-{n % 2}", "n": n})
    same(tenants.read_item("3", ["a", "u-1"])["n"], 3)
    tenants.delete_item("3", ["a", "u-1"])
    for key, expected in [(["a", "u-0"], "024"), (["a", "u-1"], "15"), (["a"], "01245"), (["b"], "012345")]:
        found = tenants.query_items("SELECT VALUE c.id FROM c", partition_key=key)
        same("".join(sorted(found)), expected)


@check
def ttl():
    """TTL: gone from reads, queries and feed"""
    short = database.create_container_if_not_exists("short", PartitionKey("/id"), default_ttl=600)
    short.create_item({"id": "stays"})
    short.create_item({"id": "forever", "ttl": -1})
    short.create_item({"id": "goes", "ttl": 1})
    until("the document expires", lambda: gone("goes", short))
    found = short.query_items("SELECT VALUE c.id FROM c", enable_cross_partition_query=True)
    same(sorted(found), ["forever", "stays"])
    same(sorted(each["id"] for each in short.query_items_change_feed(start_time="Beginning")), ["forever", "stays"])


@check
def administration():
    """containers and databases: list, query, replace, throughput, delete; a wrong key"""
    same(sorted(each["id"] for each in database.list_containers()), ["prices", "short", "tenants"])
    assert database.id in [each["id"] for each in client.list_databases()]
    found = client.query_databases("SELECT * FROM d WHERE d.id = @id", parameters=[{"name": "@id", "value": database.id}])
    same([each["id"] for each in found], [database.id])
    found = database.query_containers('SELECT * FROM c WHERE c.id = "prices"')
    same([each["id"] for each in found], ["prices"])
    database.replace_container(container, PartitionKey("/id"), default_ttl=-1)
    same(container.read()["defaultTtl"], -1)
    paid = database.create_container("paid", PartitionKey("/id"), offer_throughput=ThroughputProperties(400))
    same(paid.get_throughput().offer_throughput, 400)
    same(paid.replace_throughput(1000).offer_throughput, 1000)
    same(paid.get_throughput().offer_throughput, 1000)
    database.delete_container(paid)
    refused(404, paid.read)
    client.delete_database(database.id)
    refused(404, database.read)
    head, _, _ = CONNECTION.partition("AccountKey=")
    refused(401, connect, f"{head}AccountKey=d3Jvbmc=;")
