// The change feed of a container into Redis, as it is written with the SDK of Node and ioredis: a loop for each feed
// range, side by side, each page a pipeline of SETs. Says how many documents a second it came to, best of some rounds
// after one that warms up. It stores no position; ours does.
import assert from "node:assert/strict";
import { ChangeFeedStartFrom, CosmosClient, StatusCodes } from "@azure/cosmos";
import { Redis } from "ioredis";

const { cosmos, redis: url, database, container: name, documents, page, rounds } = JSON.parse(process.env.SERVED);
const container = new CosmosClient(cosmos).database(database).container(name);
const redis = new Redis(url);

async function follow(range) {
  const feed = container.items.getChangeFeedIterator({
    maxItemCount: page,
    changeFeedStartFrom: ChangeFeedStartFrom.Beginning(range),
  });
  let written = 0;
  for (;;) {
    const { statusCode, result } = await feed.readNext();
    if (statusCode === StatusCodes.NotModified) return written;
    const pipeline = redis.pipeline();
    for (const document of result) pipeline.set(document.id, JSON.stringify(document));
    for (const [error] of await pipeline.exec()) if (error) throw error;
    written += result.length;
  }
}

const rates = [];
for (let round = 0; round <= rounds; round += 1) {
  const began = performance.now();
  const written = await Promise.all((await container.getFeedRanges()).map(follow));
  const seconds = (performance.now() - began) / 1000;
  assert.equal(written.reduce((a, b) => a + b), documents);
  if (round > 0) rates.push(documents / seconds);
}
assert.equal(await redis.dbsize(), documents);
assert.equal(JSON.parse(await redis.get("p-0000007")).sku, "SKU-00000007");
redis.disconnect();
console.log(Math.max(...rates).toFixed(0));
process.exit(0);
