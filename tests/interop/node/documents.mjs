// The Cosmos SDK of Node, unmodified, against SYNCSCOPE_COSMOS (a connection string): documents, batches,
// containers.
import assert from "node:assert/strict";
import { CosmosClient, StatusCodes } from "@azure/cosmos";
import { check, client, connection, database as fresh, refused, until } from "./support/check.mjs";

const database = await fresh("documents");
const { container } = await database.containers.createIfNotExists({
  id: "prices",
  partitionKey: { paths: ["/id"], version: 2 },
});
const ifMatch = (condition) => ({ accessCondition: { type: "IfMatch", condition } });

await check("create, read, replace, delete with If-Match", async () => {
  const { resource: made } = await container.items.create({ id: "p-1", price: 12.5 });
  assert.equal(made.price, 12.5);
  await refused(container.items.create({ id: "p-1" }), StatusCodes.Conflict);
  const item = container.item("p-1", "p-1");
  const match = ifMatch(made._etag);
  const { resource: replaced } = await item.replace({ ...made, price: 13 }, match);
  assert.notEqual(replaced._etag, made._etag);
  await refused(item.replace({ ...made, price: 14 }, match), StatusCodes.PreconditionFailed);
  await refused(item.delete(match), StatusCodes.PreconditionFailed);
  await refused(container.items.upsert({ ...made, price: 15 }, match), StatusCodes.PreconditionFailed);
  const { resource: upserted } = await container.items.upsert({ ...made, price: 16 }, ifMatch(replaced._etag));
  const seen = { accessCondition: { type: "IfNoneMatch", condition: upserted._etag } };
  assert.equal((await item.read(seen)).statusCode, StatusCodes.NotModified);
  assert.equal((await item.read()).resource.price, 16);
  await item.delete(ifMatch(upserted._etag));
  assert.equal((await item.read()).statusCode, 404);
  await refused(item.delete(), 404);
  await refused(item.replace(made), 404);
});

await check("PATCH: add, set, replace, remove, incr, move; conditions", async () => {
  await container.items.upsert({ id: "p-2", price: 1, tags: ["a"], old: { name: "x" } });
  const item = container.item("p-2", "p-2");
  const { resource } = await item.patch([
    { op: "incr", path: "/price", value: 2 },
    { op: "add", path: "/tags/-", value: "c" },
    { op: "add", path: "/tags/1", value: "b" },
    { op: "set", path: "/stock", value: { count: 7 } },
    { op: "replace", path: "/stock/count", value: 8 },
    { op: "move", from: "/old/name", path: "/name" },
    { op: "remove", path: "/old" },
  ]);
  const { price, tags, stock, name, old } = resource;
  assert.deepEqual({ price, tags, stock, name, old }, {
    price: 3,
    tags: ["a", "b", "c"],
    stock: { count: 8 },
    name: "x",
    old: undefined,
  });
  const only = (condition) => item.patch({ condition, operations: [{ op: "set", path: "/sold", value: true }] });
  await refused(only("from c where c.price > 10"), StatusCodes.PreconditionFailed);
  assert.equal((await only("from c where c.price = 3 AND c.name = 'x'")).resource.sold, true);
  await refused(item.patch([{ op: "replace", path: "/nowhere", value: 1 }]), StatusCodes.BadRequest);
  await refused(item.patch([{ op: "remove", path: "/nowhere" }]), StatusCodes.BadRequest);
  await refused(container.item("none", "none").patch([{ op: "set", path: "/a", value: 1 }]), 404);
  const { resource: before } = await item.read();
  await item.patch([{ op: "incr", path: "/price", value: -1.5 }], ifMatch(before._etag));
  const late = item.patch([{ op: "incr", path: "/price", value: 1 }], ifMatch(before._etag));
  await refused(late, StatusCodes.PreconditionFailed);
  assert.equal((await item.read()).resource.price, 1.5);
});

await check("odd ids", async () => {
  for (const id of ["a b", "100%", '"q"', "it's", "🍏", "سعر", "x==..0", "a+b&c=d;", "..x", "é".repeat(80)]) {
    await container.items.upsert({ id, odd: true });
    assert.equal((await container.item(id, id).read()).resource?.id, id);
    await container.item(id, id).delete();
  }
});

await check("transactional batch: all or nothing", async () => {
  const batch = await container.items.batch(
    [
      { operationType: "Create", resourceBody: { id: "b-1", n: 1 } },
      { operationType: "Patch", id: "b-1", resourceBody: { operations: [{ op: "incr", path: "/n", value: 4 }] } },
      { operationType: "Read", id: "b-1" },
    ],
    "b-1",
  );
  assert.deepEqual(batch.result.map((r) => r.statusCode), [201, 200, 200]);
  assert.equal(batch.result[2].resourceBody.n, 5);
  const { resource } = await container.item("b-1", "b-1").read();
  assert.equal(resource.n, 5);
  const failed = await container.items.batch(
    [
      { operationType: "Upsert", resourceBody: { id: "b-1", n: 6 } },
      { operationType: "Replace", id: "b-1", ifMatch: resource._etag, resourceBody: { id: "b-1", n: 7 } },
      { operationType: "Delete", id: "b-1" },
    ],
    "b-1",
  );
  assert.equal(failed.code, StatusCodes.MultiStatus);
  assert.deepEqual(failed.result.map((r) => r.statusCode), [424, 412, 424]);
  assert.equal((await container.item("b-1", "b-1").read()).resource.n, 5);
});

await check("bulk: each operation for itself", async () => {
  const upserts = Array.from({ length: 250 }, (_, i) => ({
    operationType: "Upsert",
    partitionKey: `bulk-${i}`,
    resourceBody: { id: `bulk-${i}`, n: i },
  }));
  const made = await container.items.executeBulkOperations(upserts);
  assert.equal(made.length, 250);
  assert.ok(made.every((r) => r.response?.statusCode === 201), JSON.stringify(made[0]));
  const { resource } = await container.item("bulk-1", "bulk-1").read();
  const of = (id, operationType, rest) => ({ operationType, partitionKey: id, id, ...rest });
  const mixed = await container.items.executeBulkOperations([
    of("bulk-1", "Replace", { ifMatch: '"wrong"', resourceBody: { id: "bulk-1", n: -1 } }),
    of("bulk-2", "Delete"),
    of("bulk-3", "Read"),
    of("bulk-4", "Patch", { resourceBody: { operations: [{ op: "incr", path: "/n", value: 1 }] } }),
    of("bulk-none", "Delete"),
    { operationType: "Create", partitionKey: "bulk-5", resourceBody: { id: "bulk-5" } },
  ]);
  const statuses = mixed.map((r) => r.response?.statusCode ?? r.error?.code);
  assert.deepEqual(statuses, [412, 204, 200, 200, 404, 409]);
  assert.equal((await container.item("bulk-1", "bulk-1").read()).resource._etag, resource._etag);
  assert.equal((await container.item("bulk-4", "bulk-4").read()).resource.n, 5);
  const minimal = await container.items.executeBulkOperations(
    [{ operationType: "Upsert", partitionKey: "bulk-8", resourceBody: { id: "bulk-8", n: 9 } }],
    { contentResponseOnWriteEnabled: false },
  );
  assert.equal(minimal[0].response.resourceBody, undefined);
  assert.ok(minimal[0].response.eTag, "an etag even where no content is asked for");
  // The older interface sends the same in another shape.
  const older = await container.items.bulk([of("bulk-6", "Read"), of("bulk-7", "Delete")]);
  assert.deepEqual(older.map((r) => r.statusCode), [200, 204]);
});

await check("hierarchical keys", async () => {
  const { container } = await database.containers.createIfNotExists({
    id: "tenants",
    partitionKey: { paths: ["/tenant", "/user"], kind: "MultiHash", version: 2 },
  });
  for (const tenant of ["a", "b"]) {
    for (let n = 0; n < 6; n += 1) await container.items.create({ id: `${n}`, tenant, user: `u-${n % 2}`, n });
  }
  assert.equal((await container.item("3", ["a", "u-1"]).read()).resource.n, 3);
  await container.item("3", ["a", "u-1"]).delete();
  const of = async (partitionKey) =>
    (await container.items.query("SELECT VALUE c.id FROM c", { partitionKey }).fetchAll()).resources.sort();
  assert.deepEqual(await of(["a", "u-0"]), ["0", "2", "4"]);
  assert.deepEqual(await of(["a", "u-1"]), ["1", "5"]);
});

await check("TTL: gone from reads, queries and feed", async () => {
  const { container } = await database.containers.createIfNotExists({ id: "short", partitionKey: "/id", defaultTtl: 600 });
  await container.items.create({ id: "stays" });
  await container.items.create({ id: "forever", ttl: -1 });
  await container.items.create({ id: "goes", ttl: 1 });
  await until("the document expires", async () => (await container.item("goes", "goes").read()).statusCode === 404);
  const { resources } = await container.items.query("SELECT VALUE c.id FROM c").fetchAll();
  assert.deepEqual(resources.sort(), ["forever", "stays"]);
});

await check("containers and databases: list, replace, throughput, delete", async () => {
  const { resources } = await database.containers.readAll().fetchAll();
  assert.deepEqual(resources.map((c) => c.id).sort(), ["prices", "short", "tenants"]);
  const { resource } = await container.read();
  await container.replace({ ...resource, defaultTtl: -1 });
  assert.equal((await container.read()).resource.defaultTtl, -1);
  const { container: paid } = await database.containers.create({ id: "paid", partitionKey: "/id", throughput: 400 });
  const { resource: offer } = await paid.readOffer();
  assert.equal(offer.content.offerThroughput, 400);
  offer.content.offerThroughput = 1000;
  await client.offer(offer.id).replace(offer);
  assert.equal((await paid.readOffer()).resource.content.offerThroughput, 1000);
  await paid.delete();
  await refused(paid.read(), 404);
  await database.delete();
  await refused(database.read(), 404);
});

await check("a wrong key is refused", async () => {
  const wrong = connection.replace(/AccountKey=[^;]*/, "AccountKey=d3Jvbmc=");
  await refused(new CosmosClient(wrong).databases.create({ id: "no" }), 401);
});

process.exit(0);
