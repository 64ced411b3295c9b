// The Cosmos SDK of Node, unmodified, against SYNCSCOPE_COSMOS: queries over four partitions, each answer
// beside what JavaScript computes from the same documents.
import assert from "node:assert/strict";
import { check, database as fresh } from "./support/check.mjs";

const database = await fresh("queries");
const { container } = await database.containers.createIfNotExists({ id: "items", partitionKey: "/id" });
const all = Array.from({ length: 60 }, (_, n) => ({
  id: `q-${n}`,
  n,
  kind: ["chair", "table", "lamp"][n % 3],
  price: ((n * 7919) % 1000) / 8,
  tags: n % 2 ? ["oak", `t-${n % 5}`] : ["pine"],
  size: { w: n % 4, h: n },
  name: `Item "${n}"`,
  ...(n % 10 ? {} : { sold: n % 20 === 0 }),
}));
await Promise.all(all.map((item) => container.items.create(item)));

const query = (query, parameters = {}, options) =>
  container.items.query(
    { query, parameters: Object.entries(parameters).map(([name, value]) => ({ name: `@${name}`, value })) },
    options,
  );
const rows = async (...args) => (await query(...args).fetchAll()).resources;
// Rows come in any order, and so do the fields of a row.
const text = (row) => JSON.stringify(row?.constructor === Object ? Object.entries(row).sort() : row);
const sorted = (list) => [...list].sort((a, b) => (text(a) < text(b) ? -1 : 1));
const same = (found, expected) => assert.deepEqual(sorted(found), sorted(expected));
const sum = (list) => list.reduce((a, b) => a + b, 0);

await check("parameters of each type, strings in either quote", async () => {
  const ids = async (...args) => sorted(await rows(...args));
  same(await ids("SELECT VALUE c.n FROM c WHERE c.kind = @kind AND c.n >= @n", { kind: "lamp", n: 50 }), [50, 53, 56, 59]);
  same(await ids("SELECT VALUE c.n FROM c WHERE c.sold = @sold", { sold: true }), [0, 20, 40]);
  same(await ids("SELECT VALUE c.n FROM c WHERE ARRAY_CONTAINS(@list, c.n)", { list: [3, 5, 99] }), [3, 5]);
  same(await ids("SELECT VALUE c.n FROM c WHERE c.size.h = @size.h", { size: { h: 9 } }), [9]);
  same(await ids("SELECT VALUE c.n FROM c WHERE c.name = 'Item \"7\"'"), [7]);
  same(await ids('SELECT VALUE c.n FROM c WHERE c["name"] = "Item \\"8\\""'), [8]);
  same(await ids("SELECT VALUE c.n FROM c WHERE c.none = @null", { null: null }), []);
});

await check("filters: IN, BETWEEN, LIKE, IS_DEFINED, ARRAY_CONTAINS, JOIN, functions", async () => {
  const n = (where) => rows(`SELECT VALUE c.n FROM c WHERE ${where}`);
  const expect = (holds) => all.filter(holds).map((d) => d.n);
  same(await n("c.id IN ('q-1', 'q-2', 'none')"), [1, 2]);
  same(await n("c.price BETWEEN 20 AND 40.5"), expect((d) => d.price >= 20 && d.price <= 40.5));
  same(await n("c.id LIKE 'q-5%'"), expect((d) => d.id.startsWith("q-5")));
  same(await n("IS_DEFINED(c.sold) AND NOT c.sold"), expect((d) => d.sold === false));
  same(await n("ARRAY_CONTAINS(c.tags, 't-3')"), expect((d) => d.tags.includes("t-3")));
  same(await n("CONTAINS(c.id, '3') AND LENGTH(c.id) = 4"), expect((d) => d.id.includes("3") && d.id.length === 4));
  same(await n("(c.n % 7 = 0 OR c.n < 3) AND c.kind != 'lamp'"), expect((d) => (d.n % 7 === 0 || d.n < 3) && d.kind !== "lamp"));
  same(
    await rows("SELECT c.n, t AS tag FROM c JOIN t IN c.tags WHERE c.n < 5"),
    all.filter((d) => d.n < 5).flatMap((d) => d.tags.map((tag) => ({ n: d.n, tag }))),
  );
});

await check("projections: objects, arrays, VALUE, renamed, computed", async () => {
  assert.deepEqual(
    await rows("SELECT c.n, c.size.w AS wide, {'h': c.size.h, 'list': [c.kind, 1]} AS more FROM c WHERE c.id = 'q-6'"),
    [{ n: 6, wide: 2, more: { h: 6, list: ["chair", 1] } }],
  );
  assert.deepEqual(await rows("SELECT VALUE {'twice': c.n * 2, 'up': UPPER(c.kind)} FROM c WHERE c.n = 4"), [
    { twice: 8, up: "TABLE" },
  ]);
  assert.deepEqual(await rows("SELECT VALUE c.sold ?? 'unknown' FROM c WHERE c.n = 1"), ["unknown"]);
});

await check("ORDER BY over partitions: up, down, by two, strings, with a page size", async () => {
  const n = (list) => list.map((d) => d.n);
  const up = [...all].sort((a, b) => a.price - b.price || a.n - b.n);
  const few = { maxItemCount: 7 };
  const prices = (list) => list.map((d) => d.price);
  assert.deepEqual(prices(await rows("SELECT * FROM c ORDER BY c.price", {}, few)), prices(up));
  assert.deepEqual(await rows("SELECT VALUE c.n FROM c WHERE c.n >= 20 ORDER BY c.n DESC", {}, few), n(all).slice(20).reverse());
  const byTwo = [...all].sort((a, b) => (a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : b.n - a.n));
  assert.deepEqual(await rows("SELECT VALUE c.n FROM c ORDER BY c.kind ASC, c.n DESC", {}, few), n(byTwo));
  assert.deepEqual(await rows("SELECT VALUE c.id FROM c ORDER BY c.id"), all.map((d) => d.id).sort());
});

await check("TOP, OFFSET and LIMIT, with and without ORDER BY", async () => {
  assert.deepEqual(await rows("SELECT TOP 5 VALUE c.n FROM c ORDER BY c.n DESC"), [59, 58, 57, 56, 55]);
  assert.deepEqual(await rows("SELECT VALUE c.n FROM c ORDER BY c.n OFFSET 10 LIMIT 4"), [10, 11, 12, 13]);
  assert.deepEqual(await rows("SELECT TOP @top VALUE c.n FROM c ORDER BY c.n", { top: 2 }), [0, 1]);
  const top = await rows("SELECT TOP 7 * FROM c", {}, { maxItemCount: 2 });
  assert.equal(new Set(top.map((d) => d.id)).size, 7);
  const some = await rows("SELECT VALUE c.n FROM c OFFSET 55 LIMIT 10");
  assert.equal(new Set(some).size, 5);
});

await check("aggregates over partitions: COUNT, SUM, AVG, MIN, MAX", async () => {
  const one = async (what, where = "") => (await rows(`SELECT VALUE ${what} FROM c ${where}`))[0];
  assert.equal(await one("COUNT(1)"), 60);
  assert.equal(await one("COUNT(c.sold)"), 6);
  assert.equal(await one("COUNT(1)", "WHERE c.kind = 'none'"), 0);
  assert.equal(await one("SUM(c.n)"), 1770);
  assert.equal(await one("AVG(c.price)"), sum(all.map((d) => d.price)) / 60);
  assert.equal(await one("MIN(c.price)"), Math.min(...all.map((d) => d.price)));
  assert.equal(await one("MAX(c.kind)"), "table");
});

await check("GROUP BY over partitions, with aggregates", async () => {
  const groups = (key) => Map.groupBy?.(all, key) ?? all.reduce((m, d) => m.set(key(d), [...(m.get(key(d)) ?? []), d]), new Map());
  const by = groups((d) => d.kind);
  same(
    await rows("SELECT c.kind, COUNT(1) AS many, SUM(c.n) AS total, MAX(c.price) AS top, AVG(c.n) AS mean FROM c GROUP BY c.kind"),
    [...by].map(([kind, list]) => ({
      kind,
      many: list.length,
      total: sum(list.map((d) => d.n)),
      top: Math.max(...list.map((d) => d.price)),
      mean: sum(list.map((d) => d.n)) / list.length,
    })),
  );
  same(
    await rows("SELECT c.size.w AS w, COUNT(1) AS many FROM c WHERE c.n < 30 GROUP BY c.size.w"),
    [...groups((d) => d.size.w)].map(([w, list]) => ({ w, many: list.filter((d) => d.n < 30).length })),
  );
});

await check("DISTINCT: values, objects, ordered", async () => {
  same(await rows("SELECT DISTINCT VALUE c.kind FROM c"), ["chair", "lamp", "table"]);
  same(await rows("SELECT DISTINCT c.kind, c.size.w FROM c"), all.slice(0, 12).map((d) => ({ kind: d.kind, w: d.size.w })));
  assert.deepEqual(await rows("SELECT DISTINCT VALUE c.size.w FROM c ORDER BY c.size.w DESC"), [3, 2, 1, 0]);
});

await check("pages: each document once; a continuation carried to another query", async () => {
  for (const [text, options] of [
    ["SELECT * FROM c", { maxItemCount: 7 }],
    ["SELECT * FROM c WHERE c.n >= 0", { maxItemCount: 7, maxDegreeOfParallelism: 4, bufferItems: true }],
  ]) {
    const seen = [];
    const pages = query(text, {}, options);
    while (pages.hasMoreResults()) seen.push(...((await pages.fetchNext()).resources ?? []));
    assert.deepEqual(seen.map((d) => d.n).sort((a, b) => a - b), all.map((d) => d.n), text);
  }
  const seen = [];
  let continuationToken;
  let pages = 0;
  do {
    const page = await container.items
      .query("SELECT VALUE c.n FROM c ORDER BY c.n", { maxItemCount: 9, enableQueryControl: true, continuationToken })
      .fetchNext();
    seen.push(...page.resources);
    continuationToken = page.continuationToken;
    pages += 1;
  } while (continuationToken);
  assert.deepEqual(seen, all.map((d) => d.n));
  assert.ok(pages >= 7, `${pages} pages`);
});

await check("within one logical partition", async () => {
  const found = await rows("SELECT c.kind, COUNT(1) AS many FROM c GROUP BY c.kind", {}, { partitionKey: "q-3" });
  assert.deepEqual(found, [{ kind: "chair", many: 1 }]);
  assert.deepEqual(await rows("SELECT VALUE c.n FROM c", {}, { partitionKey: "q-7" }), [7]);
});

await check("what is not understood is refused, never silently empty", async () => {
  for (const wrong of ["SELECT * FORM c", "SELECT * FROM c WHERE", "SELECT VALUE NOSUCH(c.n) FROM c", "SELECT udf.f(c) FROM c"]) {
    await assert.rejects(rows(wrong), (error) => error.code === 400, wrong);
  }
});

await database.delete();
process.exit(0);
