"""The change feed of a container into Redis, as it is written with the SDK of Python and redis-py: a loop for each
feed range, each page a pipeline of SETs. Says how many documents a second it came to, best of some rounds. `threads`:
the ranges side by side in threads; `tasks`: in one event loop, with the asynchronous clients of both; `turns`: one
after the other. It stores no position; ours does."""

import asyncio
import json
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import redis
import redis.asyncio
from azure.cosmos import CosmosClient
from azure.cosmos.aio import CosmosClient as AsyncCosmosClient

SERVED = json.loads(os.environ["SERVED"])
DOCUMENTS, PAGE = SERVED["documents"], SERVED["page"]
SHAPE = {"start_time": "Beginning", "max_item_count": PAGE}


def entry(document):
    """What is written of a document."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def blocking(workers):
    """Seconds with the blocking clients."""
    cache = redis.Redis.from_url(SERVED["redis"])
    clients = threading.local()

    def container():
        if not hasattr(clients, "container"):
            client = CosmosClient.from_connection_string(SERVED["cosmos"])
            clients.container = client.get_database_client(SERVED["database"]).get_container_client(SERVED["container"])
        return clients.container

    def follow(feed_range):
        written = 0
        for page in container().query_items_change_feed(feed_range=feed_range, **SHAPE).by_page():
            pipeline = cache.pipeline(transaction=False)
            count = 0
            for document in page:
                pipeline.set(document["id"], entry(document))
                count += 1
            if not count:
                break
            pipeline.execute()
            written += count
        return written

    began = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        written = sum(pool.map(follow, list(container().read_feed_ranges())))
    seconds = time.perf_counter() - began
    assert written == DOCUMENTS, written
    return seconds


async def tasks():
    """Seconds with the asynchronous clients."""
    cache = redis.asyncio.Redis.from_url(SERVED["redis"])
    async with AsyncCosmosClient.from_connection_string(SERVED["cosmos"]) as client:
        container = client.get_database_client(SERVED["database"]).get_container_client(SERVED["container"])

        async def follow(feed_range):
            written = 0
            async for page in container.query_items_change_feed(feed_range=feed_range, **SHAPE).by_page():
                pipeline = cache.pipeline(transaction=False)
                count = 0
                async for document in page:
                    pipeline.set(document["id"], entry(document))
                    count += 1
                if not count:
                    break
                await pipeline.execute()
                written += count
            return written

        began = time.perf_counter()
        ranges = [each async for each in container.read_feed_ranges()]
        written = sum(await asyncio.gather(*map(follow, ranges)))
        seconds = time.perf_counter() - began
    await cache.aclose()
    assert written == DOCUMENTS, written
    return seconds


WAYS = {"threads": lambda: blocking(4), "turns": lambda: blocking(1), "tasks": lambda: asyncio.run(tasks())}
rates = [DOCUMENTS / WAYS[sys.argv[1]]() for _ in range(SERVED["rounds"])]
with redis.Redis.from_url(SERVED["redis"]) as written:
    assert written.dbsize() == DOCUMENTS
    assert json.loads(written.get("p-0000007"))["sku"] == "SKU-00000007"
print(f"{max(rates):.0f}")
