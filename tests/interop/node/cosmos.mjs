// The Cosmos SDK of Node, unmodified, against SYNCSCOPE_COSMOS (a connection string).
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { ChangeFeedStartFrom, CosmosClient, StatusCodes } from "@azure/cosmos";

const client = new CosmosClient(process.env.SYNCSCOPE_COSMOS);
const { database } = await client.databases.createIfNotExists({ id: `node-${randomUUID()}` });
const { container } = await database.containers.createIfNotExists({
  id: "prices",
  partitionKey: { paths: ["/id"], version: 2 },
});

let failed = 0;
async function check(name, body) {
  try {
    await body();
    console.log(`ok   ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}: ${error.stack ?? error}`);
  }
}
async function refused(promise, code) {
  await assert.rejects(promise, (error) => error.code === code);
}

await check("create, read, replace, delete with If-Match", async () => {
  const { resource: made } = await container.items.create({ id: "p-1", price: 12.5 });
  assert.equal(made.price, 12.5);
  await refused(container.items.create({ id: "p-1" }), StatusCodes.Conflict);
  const item = container.item("p-1", "p-1");
  const match = { accessCondition: { type: "IfMatch", condition: made._etag } };
  const { resource: replaced } = await item.replace({ ...made, price: 13 }, match);
  assert.notEqual(replaced._etag, made._etag);
  await refused(item.replace({ ...made, price: 14 }, match), StatusCodes.PreconditionFailed);
  await refused(item.delete(match), StatusCodes.PreconditionFailed);
  assert.equal((await item.read()).resource.price, 13);
  await item.delete();
  assert.equal((await item.read()).statusCode, 404);
});

await check("patch, with and without a condition", async () => {
  await container.items.upsert({ id: "p-2", price: 1, tags: ["a"] });
  const item = container.item("p-2", "p-2");
  const { resource } = await item.patch([
    { op: "incr", path: "/price", value: 2 },
    { op: "add", path: "/tags/-", value: "b" },
  ]);
  assert.deepEqual([resource.price, resource.tags], [3, ["a", "b"]]);
  const only = (condition) => item.patch({ condition, operations: [{ op: "set", path: "/sold", value: true }] });
  await refused(only("from c where c.price > 10"), StatusCodes.PreconditionFailed);
  assert.equal((await only("from c where c.price = 3")).resource.sold, true);
});

await check("odd ids", async () => {
  for (const id of ["a b", "100%", '"q"', "it's", "🍏", "سعر", "x==..0", "a+b&c=d;"]) {
    await container.items.upsert({ id, odd: true });
    assert.equal((await container.item(id, id).read()).resource?.id, id);
    await container.item(id, id).delete();
  }
});

await check("queries: parameters, ORDER BY, COUNT, GROUP BY, pages", async () => {
  for (let i = 0; i < 30; i += 1) {
    await container.items.upsert({ id: `q-${i}`, n: i, kind: i % 3 ? "odd" : "third" });
  }
  const query = (query, parameters = []) => container.items.query({ query, parameters });
  const sorted = await query("SELECT * FROM c WHERE STARTSWITH(c.id, @p) AND c.n >= @n ORDER BY c.n DESC", [
    { name: "@p", value: "q-" },
    { name: "@n", value: 20 },
  ]).fetchAll();
  assert.deepEqual(sorted.resources.map((r) => r.n), [29, 28, 27, 26, 25, 24, 23, 22, 21, 20]);
  const quoted = await query('SELECT VALUE c.n FROM c WHERE c["id"] = "q-7"').fetchAll();
  assert.deepEqual(quoted.resources, [7]);
  const count = await query("SELECT VALUE COUNT(1) FROM c WHERE STARTSWITH(c.id, 'q-')").fetchAll();
  assert.deepEqual(count.resources, [30]);
  const groups = await query(
    "SELECT c.kind, COUNT(1) AS many FROM c WHERE STARTSWITH(c.id, 'q-') GROUP BY c.kind",
  ).fetchAll();
  assert.deepEqual(Object.fromEntries(groups.resources.map((g) => [g.kind, g.many])), { odd: 20, third: 10 });
  const pages = container.items.query("SELECT VALUE c.n FROM c WHERE IS_DEFINED(c.n)", { maxItemCount: 4 });
  const seen = new Set();
  while (pages.hasMoreResults()) {
    for (const n of (await pages.fetchNext()).resources ?? []) seen.add(n);
  }
  assert.equal(seen.size, 30);
});

await check("batch and bulk", async () => {
  const batch = await container.items.batch(
    [
      { operationType: "Create", resourceBody: { id: "b-1", n: 1 } },
      { operationType: "Patch", id: "b-1", resourceBody: { operations: [{ op: "incr", path: "/n", value: 4 }] } },
    ],
    "b-1",
  );
  assert.deepEqual(batch.result.map((r) => r.statusCode), [201, 200]);
  assert.equal((await container.item("b-1", "b-1").read()).resource.n, 5);
  const operations = Array.from({ length: 50 }, (_, i) => ({
    operationType: "Upsert",
    partitionKey: `bulk-${i}`,
    resourceBody: { id: `bulk-${i}`, n: i },
  }));
  const results = await container.items.executeBulkOperations(operations);
  assert.ok(results.every((r) => r.response?.statusCode === 201), JSON.stringify(results[0]));
});

async function drain(iterator) {
  const seen = [];
  let idle = 0;
  let token;
  while (idle < 8) {
    const page = await iterator.readNext();
    token = page.continuationToken;
    idle = page.statusCode === StatusCodes.NotModified ? idle + 1 : 0;
    if (page.statusCode !== StatusCodes.NotModified) seen.push(...page.result);
  }
  return { seen, token };
}

await check("change feed: beginning, continuation, now, by key", async () => {
  const { container } = await database.containers.createIfNotExists({ id: "fed", partitionKey: "/id" });
  for (let i = 0; i < 25; i += 1) await container.items.upsert({ id: `f-${i}`, n: i });
  const from = (changeFeedStartFrom) =>
    container.items.getChangeFeedIterator({ maxItemCount: 3, changeFeedStartFrom });
  const first = await drain(from(ChangeFeedStartFrom.Beginning()));
  assert.equal(new Set(first.seen.map((d) => d.id)).size, 25);
  assert.equal(first.seen.length, 25);
  assert.ok(first.seen.every((d) => Number.isInteger(d._lsn)));
  const now = await drain(from(ChangeFeedStartFrom.Now()));
  assert.equal(now.seen.length, 0);
  await container.items.upsert({ id: "f-3", n: 100 });
  await container.item("f-4", "f-4").delete();
  for (const { token } of [first, now]) {
    const rest = await drain(from(ChangeFeedStartFrom.Continuation(token)));
    assert.deepEqual(rest.seen.map((d) => d.n), [100]);
  }
  const one = await drain(from(ChangeFeedStartFrom.Beginning("f-7")));
  assert.deepEqual(one.seen.map((d) => d.id), ["f-7"]);
  const later = await drain(from(ChangeFeedStartFrom.Time(new Date(Date.now() + 60_000))));
  assert.equal(later.seen.length, 0);
});

await check("containers and databases: list, TTL, delete", async () => {
  const { resources } = await database.containers.readAll().fetchAll();
  assert.deepEqual(resources.map((c) => c.id).sort(), ["fed", "prices"]);
  const { resource } = await container.read();
  await container.replace({ ...resource, defaultTtl: -1 });
  assert.equal((await container.read()).resource.defaultTtl, -1);
  await database.delete();
  await refused(database.read(), 404);
});

await check("a wrong key is refused", async () => {
  const wrong = process.env.SYNCSCOPE_COSMOS.replace(/AccountKey=[^;]*/, "AccountKey=d3Jvbmc=");
  await refused(new CosmosClient(wrong).databases.create({ id: "no" }), 401);
});

process.exit(failed ? 1 : 0);
