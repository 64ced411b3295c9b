// The Cosmos SDK of Node, unmodified, against SYNCSCOPE_COSMOS: change feeds by the pull model, across splits
// and merges while others write. Every id is counted.
import assert from "node:assert/strict";
import { ChangeFeedMode, ChangeFeedStartFrom, CosmosClient, StatusCodes } from "@azure/cosmos";
import { check, client, connection, database as fresh, merge, split, until, Writer } from "./support/check.mjs";

const database = await fresh("feeds");
const made = async (id, more) =>
  (await database.containers.createIfNotExists({ id, partitionKey: { paths: ["/id"], version: 2 }, ...more })).container;
const iterator = (container, changeFeedStartFrom, more) =>
  container.items.getChangeFeedIterator({ maxItemCount: 5, changeFeedStartFrom, ...more });
const { Beginning, Continuation, Now, Time } = ChangeFeedStartFrom;

/** Reads pages until the feed says that there is nothing new, or so many of them. */
async function read(feed, each, pages = Infinity) {
  let token;
  for (let n = 0; n < pages; n += 1) {
    const page = await feed.readNext();
    token = page.continuationToken;
    if (page.statusCode === StatusCodes.NotModified) break;
    page.result.forEach(each);
  }
  return token;
}
async function drain(feed) {
  const seen = [];
  const token = await read(feed, (item) => seen.push(item));
  return { seen, token };
}

/** What a reader of latest versions has seen: the newest version of each id, and how many items. */
class Seen {
  newest = new Map();
  items = 0;
  add = ({ id, version }) => {
    this.items += 1;
    assert.ok(version >= (this.newest.get(id) ?? 0), `${id} went backwards to version ${version}`);
    this.newest.set(id, version);
  };
}

await check("from the beginning, a continuation, now, by key", async () => {
  const container = await made("fed");
  for (let i = 0; i < 25; i += 1) await container.items.upsert({ id: `f-${i}`, n: i });
  const first = await drain(iterator(container, Beginning()));
  assert.equal(new Set(first.seen.map((d) => d.id)).size, 25);
  assert.equal(first.seen.length, 25);
  assert.ok(first.seen.every((d) => Number.isInteger(d._lsn)));
  const now = await drain(iterator(container, Now()));
  assert.equal(now.seen.length, 0);
  await container.items.upsert({ id: "f-3", n: 100 });
  await container.item("f-4", "f-4").delete();
  for (const { token } of [first, now]) {
    const rest = await drain(iterator(container, Continuation(token)));
    assert.deepEqual(rest.seen.map((d) => d.n), [100]);
  }
  const one = await drain(iterator(container, Beginning("f-7")));
  assert.deepEqual(one.seen.map((d) => d.id), ["f-7"]);
  await container.items.upsert({ id: "f-7", n: 200 });
  const again = await drain(iterator(container, Continuation(one.token)));
  assert.deepEqual(again.seen.map((d) => d.n), [200]);
});

await check("from a time", async () => {
  const container = await made("timed");
  const { resource } = await container.items.upsert({ id: "before" });
  // Whole seconds, exclusive.
  await until("the next second", () => Date.now() / 1000 > resource._ts + 1.1);
  const { resource: after } = await container.items.upsert({ id: "after" });
  const since = async (second) => {
    const { seen } = await drain(iterator(container, Time(new Date(second * 1000))));
    return seen.map((d) => d.id).sort();
  };
  assert.deepEqual(await since(resource._ts), ["after"]);
  assert.deepEqual(await since(resource._ts - 1), ["after", "before"]);
  assert.deepEqual(await since(after._ts + 60), []);
});

await check("expired and deleted documents are not delivered", async () => {
  const container = await made("short", { defaultTtl: -1 });
  await container.items.create({ id: "stays" });
  await container.items.create({ id: "goes", ttl: 1 });
  await container.items.create({ id: "deleted" });
  await container.item("deleted", "deleted").delete();
  await until("one expires", async () => (await container.item("goes", "goes").read()).statusCode === 404);
  const { seen } = await drain(iterator(container, Beginning()));
  assert.deepEqual(seen.map((d) => d.id), ["stays"]);
});

await check("by feed range: the ranges' parts are disjoint and whole", async () => {
  const container = await made("ranged");
  await new Writer(container, 60).fill();
  const ranges = await container.getFeedRanges();
  assert.equal(ranges.length, 4);
  const ids = [];
  for (const range of ranges) {
    const { seen } = await drain(iterator(container, Beginning(range)));
    ids.push(...seen.map((d) => d.id));
  }
  assert.equal(ids.length, 60);
  assert.equal(new Set(ids).size, 60);
});

await check("the whole feed across two splits and two merges, with writes going on: nothing lost", async () => {
  const container = await made("crossed");
  const writer = new Writer(container, 200);
  await writer.fill();
  writer.start();
  const seen = new Seen();
  let feed = iterator(container, Beginning());
  const steps = [
    () => split(database, container, 0),
    () => split(database, container, 5),
    () => merge(database, container, [7, 1]),
    () => merge(database, container, [4, 6]),
  ];
  for (const step of steps) {
    await read(feed, seen.add, 6);
    await step();
    const token = await read(feed, seen.add, 6);
    // A reader that starts anew from what it wrote down, with a client that knows nothing of the ranges.
    const cold = new CosmosClient(connection).database(database.id).container(container.id);
    feed = iterator(cold, Continuation(token));
  }
  await writer.stop();
  await read(feed, seen.add);
  assert.deepEqual([...seen.newest].sort(), [...writer.last].sort());
  const { resources } = await container.readPartitionKeyRanges().fetchAll();
  assert.deepEqual(resources.map((r) => r.id).sort(), ["2", "3", "8", "9"]);
  return `${writer.writes} writes, ${seen.items} delivered`;
});

await check("one reader a feed range across a split and a merge: each goes on with its part", async () => {
  const container = await made("apart");
  const writer = new Writer(container, 160);
  await writer.fill();
  writer.start();
  const readers = (await container.getFeedRanges()).map((range) => ({
    feed: iterator(container, Beginning(range)),
    seen: new Seen(),
  }));
  const some = (pages) => Promise.all(readers.map(({ feed, seen }) => read(feed, seen.add, pages)));
  await some(3);
  await split(database, container, 1); // 4, 5
  await some(3);
  await merge(database, container, [5, 2]); // 6: half of the second's range, and the third's
  await some(3);
  await writer.stop();
  await some();
  const ids = readers.flatMap(({ seen }) => [...seen.newest.keys()]);
  assert.equal(ids.length, new Set(ids).size, "a document came to two readers");
  assert.deepEqual(readers.flatMap(({ seen }) => [...seen.newest]).sort(), [...writer.last].sort());
  return `${writer.writes} writes`;
});

await check("all versions and deletes across a split and a merge: every version once, with its images", async () => {
  const container = await made("versions");
  await container.items.create({ id: "earlier", version: 1 });
  const mode = { changeFeedMode: ChangeFeedMode.AllVersionsAndDeletes };
  let feed = iterator(container, Now(), mode);
  assert.equal((await feed.readNext()).statusCode, StatusCodes.NotModified);
  const changes = [];
  const rounds = 40;
  const ids = Array.from({ length: 8 }, (_, n) => `v-${n}`);
  const live = ids.map(async (id) => {
    for (let version = 1; version <= rounds; version += 1) {
      await container.items.upsert({ id, version });
      if (version % 10 === 0) await container.item(id, id).delete();
    }
  });
  await read(feed, (c) => changes.push(c), 3);
  await split(database, container, 0);
  await read(feed, (c) => changes.push(c), 3);
  await merge(database, container, [5, 1]);
  const token = await read(feed, (c) => changes.push(c), 3);
  await Promise.all(live);
  feed = iterator(container, Continuation(token), mode);
  await read(feed, (c) => changes.push(c));
  for (const id of ids) {
    const own = changes.filter((c) => (c.current?.id ?? c.metadata.id ?? c.previous?.id) === id);
    const told = own.map((c) => [c.metadata.operationType, c.current?.version ?? null, c.previous?.version ?? null]);
    const expected = Array.from({ length: rounds }, (_, at) => at + 1).flatMap((version) => {
      const first = version % 10 === 1;
      const put = [first ? "create" : "replace", version, first ? null : version - 1];
      return version % 10 === 0 ? [put, ["delete", null, version]] : [put];
    });
    assert.deepEqual(told, expected, id);
  }
  return `${changes.length} versions`;
});

await check("a prefix of a hierarchical key", async () => {
  const { container } = await database.containers.createIfNotExists({
    id: "tenants",
    partitionKey: { paths: ["/tenant", "/user"], kind: "MultiHash", version: 2 },
  });
  for (const tenant of ["a", "b"]) {
    for (let n = 0; n < 6; n += 1) await container.items.create({ id: `${n}`, tenant, user: `u-${n % 3}` });
  }
  const { seen } = await drain(iterator(container, Beginning(["a", "u-1"])));
  assert.deepEqual(seen.map((d) => d.tenant + d.id).sort(), ["a1", "a4"]);
  const all = await drain(iterator(container, Beginning()));
  assert.equal(all.seen.length, 12);
});

await database.delete();
client.dispose();
process.exit(0);
