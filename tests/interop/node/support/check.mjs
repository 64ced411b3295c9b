// What the scripts share: the client, checks that end the script at the first difference, and the doors that
// the emulator opens to tests.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { CosmosClient } from "@azure/cosmos";

export const connection = process.env.SYNCSCOPE_COSMOS;
export const client = new CosmosClient(connection);

/** A database of this script alone. */
export async function database(name) {
  return (await client.databases.createIfNotExists({ id: `node-${name}-${randomUUID()}` })).database;
}

/** Runs a check; one line for it, and the end of the script if it fails. */
export async function check(name, body) {
  const began = performance.now();
  try {
    const found = await body();
    const took = `${Math.round(performance.now() - began)} ms`;
    console.log(`ok   node: ${name} (${found ? `${found}, ` : ""}${took})`);
  } catch (error) {
    console.log(`FAIL node: ${name}: ${error.stack ?? error}`);
    process.exit(1);
  }
}

/** The promise is refused with this status. */
export async function refused(promise, code) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.code, code, error.message);
    return true;
  });
}

/** Waits for a condition, at most 20 s. */
export async function until(what, holds) {
  const end = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const endpoint = /AccountEndpoint=([^;]*)/.exec(connection)[1];

async function control(path, body) {
  const answer = await fetch(new URL(`/_emulator/${path}`, endpoint), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(`${path}: ${said.message}`);
  return said;
}

/** Splits a physical range; the ids of its children. */
export async function split(database, container, range) {
  return (await control("split", { database: database.id, container: container.id, range })).ranges;
}

/** Merges two neighbouring ranges; the id of what they become. */
export async function merge(database, container, ranges) {
  return (await control("merge", { database: database.id, container: container.id, ranges })).range;
}

/** Writes ever newer versions of `ids` documents, four at a time, until stopped; knows the last of each. */
export class Writer {
  last = new Map();
  writes = 0;
  #stopped = false;

  constructor(container, ids) {
    this.container = container;
    this.ids = ids;
  }

  async #write(id, body) {
    const version = (this.last.get(id) ?? 0) + 1;
    await this.container.items.upsert({ id, version, ...body });
    this.last.set(id, version);
    this.writes += 1;
  }

  /** Each document once. */
  async fill() {
    const lanes = Array.from({ length: 4 }, async (_, lane) => {
      for (let n = lane; n < this.ids; n += 4) await this.#write(`w-${n}`);
    });
    await Promise.all(lanes);
  }

  /** Each lane has its own documents: a document's versions are written in order. */
  start() {
    this.running = Promise.all(
      Array.from({ length: 4 }, async (_, lane) => {
        for (let n = lane; !this.#stopped; n = (n + 4) % this.ids) await this.#write(`w-${n}`);
      }),
    );
  }

  async stop() {
    this.#stopped = true;
    await this.running;
  }
}
