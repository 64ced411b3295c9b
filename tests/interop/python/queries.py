"""The Cosmos SDK of Python, unmodified, against SYNCSCOPE_COSMOS: queries over four partitions, each answer
beside what Python computes from the same documents."""

import json

from azure.cosmos import PartitionKey

from support.check import check, client, fresh, refused, same

database = fresh("queries")
container = database.create_container_if_not_exists("items", PartitionKey("/id"))
ALL = [
    {
        "id": f"q-{n}",
        "n": n,
        "kind": ["chair", "table", "lamp"][n % 3],
        "price": (n * 7919 % 1000) / 8,
        "tags": ["oak", f"t-{n % 5}"] if n % 2 else ["pine"],
        "size": {"w": n % 4, "h": n},
        "name": f'Item "{n}"',
        **({} if n % 10 else {"sold": n % 20 == 0}),
    }
    for n in range(60)
]
for item in ALL:
    container.create_item(item)


def query(text, partition_key=None, max_item_count=None, **parameters):
    scope = {"enable_cross_partition_query": True} if partition_key is None else {"partition_key": partition_key}
    named = [{"name": f"@{name}", "value": value} for name, value in parameters.items()]
    return container.query_items(text, parameters=named, max_item_count=max_item_count, **scope)


def rows(text, **options):
    return list(query(text, **options))


def any_order(found, expected):
    """Rows come in any order."""
    text = lambda row: json.dumps(row, sort_keys=True)
    same(sorted(found, key=text), sorted(expected, key=text))


def numbers(holds):
    return [item["n"] for item in ALL if holds(item)]


@check
def parameters():
    """parameters of each type, strings in either quote"""
    any_order(rows("SELECT VALUE c.n FROM c WHERE c.kind = @kind AND c.n >= @n", kind="lamp", n=50), [50, 53, 56, 59])
    any_order(rows("SELECT VALUE c.n FROM c WHERE c.sold = @sold", sold=True), [0, 20, 40])
    any_order(rows("SELECT VALUE c.n FROM c WHERE ARRAY_CONTAINS(@list, c.n)", list=[3, 5, 99]), [3, 5])
    any_order(rows("SELECT VALUE c.n FROM c WHERE c.size.h = @size.h", size={"h": 9}), [9])
    same(rows("SELECT VALUE c.n FROM c WHERE c.name = 'Item \"7\"'"), [7])
    same(rows('SELECT VALUE c.n FROM c WHERE c["name"] = "Item \\"8\\""'), [8])
    same(rows("SELECT VALUE c.n FROM c WHERE c.none = @null", null=None), [])


@check
def filters():
    """filters: IN, BETWEEN, LIKE, IS_DEFINED, ARRAY_CONTAINS, JOIN, functions"""
    where = lambda text: rows(f"SELECT VALUE c.n FROM c WHERE {text}")
    any_order(where("c.id IN ('q-1', 'q-2', 'none')"), [1, 2])
    any_order(where("c.price BETWEEN 20 AND 40.5"), numbers(lambda d: 20 <= d["price"] <= 40.5))
    any_order(where("c.id LIKE 'q-5%'"), numbers(lambda d: d["id"].startswith("q-5")))
    any_order(where("IS_DEFINED(c.sold) AND NOT c.sold"), numbers(lambda d: d.get("sold") is False))
    any_order(where("ARRAY_CONTAINS(c.tags, 't-3')"), numbers(lambda d: "t-3" in d["tags"]))
    any_order(
        where("(c.n % 7 = 0 OR c.n < 3) AND c.kind != 'lamp'"),
        numbers(lambda d: (d["n"] % 7 == 0 or d["n"] < 3) and d["kind"] != "lamp"),
    )
    any_order(
        rows("SELECT c.n, t AS tag FROM c JOIN t IN c.tags WHERE c.n < 5"),
        [{"n": d["n"], "tag": tag} for d in ALL[:5] for tag in d["tags"]],
    )


@check
def order_by():
    """ORDER BY over partitions: up, down, by two, strings, with a page size"""
    prices = [item["price"] for item in rows("SELECT * FROM c ORDER BY c.price", max_item_count=7)]
    same(prices, sorted(item["price"] for item in ALL))
    same(rows("SELECT VALUE c.n FROM c WHERE c.n >= 20 ORDER BY c.n DESC", max_item_count=7), list(range(59, 19, -1)))
    by_two = sorted(ALL, key=lambda d: (d["kind"], -d["n"]))
    same(rows("SELECT VALUE c.n FROM c ORDER BY c.kind ASC, c.n DESC", max_item_count=7), [d["n"] for d in by_two])
    same(rows("SELECT VALUE c.id FROM c ORDER BY c.id"), sorted(d["id"] for d in ALL))


@check
def top_and_limit():
    """TOP, OFFSET and LIMIT, with and without ORDER BY"""
    same(rows("SELECT TOP 5 VALUE c.n FROM c ORDER BY c.n DESC"), [59, 58, 57, 56, 55])
    same(rows("SELECT VALUE c.n FROM c ORDER BY c.n OFFSET 10 LIMIT 4"), [10, 11, 12, 13])
    same(len({item["id"] for item in rows("SELECT TOP 7 * FROM c", max_item_count=2)}), 7)
    same(len(set(rows("SELECT VALUE c.n FROM c OFFSET 55 LIMIT 10"))), 5)


@check
def aggregates():
    """aggregates over partitions: COUNT, SUM, AVG, MIN, MAX"""
    one = lambda what, where="": rows(f"SELECT VALUE {what} FROM c {where}")
    same(one("COUNT(1)"), [60])
    same(one("COUNT(c.sold)"), [6])
    same(one("COUNT(1)", "WHERE c.kind = 'none'"), [0])
    same(one("SUM(c.n)"), [1770])
    same(one("AVG(c.price)"), [sum(d["price"] for d in ALL) / 60])
    same(one("MIN(c.price)"), [min(d["price"] for d in ALL)])
    same(one("MAX(c.kind)"), ["table"])


@check
def groups():
    """GROUP BY, which this SDK offers within one partition"""
    text = "SELECT c.kind, COUNT(1) AS many, AVG(c.n) AS mean FROM c GROUP BY c.kind"
    same(rows(text, partition_key="q-3"), [{"kind": "chair", "many": 1, "mean": 3}])


@check
def distinct():
    """DISTINCT: values, objects, ordered"""
    any_order(rows("SELECT DISTINCT VALUE c.kind FROM c"), ["chair", "lamp", "table"])
    any_order(rows("SELECT DISTINCT c.kind, c.size.w FROM c"), [{"kind": d["kind"], "w": d["size"]["w"]} for d in ALL[:12]])
    same(rows("SELECT DISTINCT VALUE c.size.w FROM c ORDER BY c.size.w DESC"), [3, 2, 1, 0])


@check
def pages():
    """pages: each document once; a continuation carried to another query"""
    sizes, found = [], []
    for page in query("SELECT * FROM c", max_item_count=7).by_page():
        page = list(page)
        sizes.append(len(page))
        found += [item["n"] for item in page]
    same(sorted(found), list(range(60)))
    assert max(sizes) <= 7, sizes
    # Continuations of this SDK are those of one partition.
    tagged = database.create_container_if_not_exists("tagged", PartitionKey("/kind"))
    for item in ALL:
        tagged.create_item(item)
    found, token, rounds = [], None, 0
    while True:
        once = tagged.query_items("SELECT VALUE c.n FROM c", partition_key="lamp", max_item_count=6).by_page(token)
        found += list(next(once))
        token, rounds = once.continuation_token, rounds + 1
        if not token:
            break
    same((sorted(found), rounds), (numbers(lambda d: d["kind"] == "lamp"), 4))
    same(len(list(container.read_all_items(max_item_count=7))), 60)


@check
def by_range():
    """queries by feed range: the parts are disjoint and whole"""
    found = [
        number
        for each in container.read_feed_ranges()
        for number in container.query_items("SELECT VALUE c.n FROM c WHERE c.n >= 0", feed_range=each)
    ]
    same(sorted(found), list(range(60)))


@check
def refusals():
    """what is not understood is refused, never silently empty"""
    for wrong in ["SELECT * FORM c", "SELECT * FROM c WHERE", "SELECT VALUE NOSUCH(c.n) FROM c", "SELECT udf.f(c) FROM c"]:
        refused(400, rows, wrong)


client.delete_database(database.id)
