// ioredis against the Redis at SYNCSCOPE_REDIS (redis://host:port). One line a check; exit 0 = all passed.
// Uses keys that start with "ioredis:" only.
import assert from 'node:assert/strict';
import { Redis } from 'ioredis';

const url = process.env.SYNCSCOPE_REDIS;
assert.ok(url, 'SYNCSCOPE_REDIS is not set');

const check = async (name, run) => {
  await run();
  console.log(`ok ioredis: ${name}`);
};
const within = (promise, what) =>
  Promise.race([
    promise,
    new Promise((_, reject) => setTimeout(() => reject(new Error(`no ${what} within 5 s`)), 5000).unref()),
  ]);
const keys = ['a', 'b', 'h', 'brief', 'n', 'tx', 'watched'].map((name) => `ioredis:${name}`);

const redis = new Redis(url, { connectionName: 'interop' });
redis.on('error', () => {});
const listener = new Redis(url);
listener.on('error', () => {});

try {
  await check('connects', async () => {
    assert.equal(await within(redis.ping(), 'PONG'), 'PONG');
    assert.equal(await redis.client('GETNAME'), 'interop');
    await redis.del(...keys);
  });

  await check('reads and writes strings', async () => {
    assert.equal(await redis.set('ioredis:a', '{"price":39.9}'), 'OK');
    assert.equal(await redis.get('ioredis:a'), '{"price":39.9}');
    assert.equal(await redis.set('ioredis:a', 'x', 'NX'), null);
    assert.equal(await redis.get('ioredis:nobody'), null);
    assert.deepEqual(await redis.mget('ioredis:a', 'ioredis:nobody'), ['{"price":39.9}', null]);
    const binary = Buffer.from([0, 255, 13, 10, 0]);
    await redis.set('ioredis:b', binary);
    assert.deepEqual(await redis.getBuffer('ioredis:b'), binary);
    assert.equal(await redis.incrby('ioredis:n', 5), 5);
  });

  await check('reads and writes hashes', async () => {
    assert.equal(await redis.hset('ioredis:h', { absexp: '-1', sldexp: '-1', data: '{}' }), 3);
    assert.deepEqual(await redis.hgetall('ioredis:h'), { absexp: '-1', sldexp: '-1', data: '{}' });
    assert.deepEqual(await redis.hmget('ioredis:h', 'data', 'none'), ['{}', null]);
  });

  await check('errors are those of Redis', async () => {
    await assert.rejects(redis.get('ioredis:h'), /WRONGTYPE/);
    await assert.rejects(redis.call('NOSUCHCOMMAND', 'x'), /ERR unknown command 'NOSUCHCOMMAND'/);
  });

  await check('expiry', async () => {
    assert.equal(await redis.set('ioredis:brief', '1', 'EX', 100), 'OK');
    const left = await redis.pttl('ioredis:brief');
    assert.ok(left > 90_000 && left <= 100_000, `${left}`);
    assert.equal(await redis.persist('ioredis:brief'), 1);
    assert.equal(await redis.ttl('ioredis:brief'), -1);
  });

  await check('pipeline of 1,000', async () => {
    const pipeline = redis.pipeline();
    for (let i = 0; i < 1000; i++) pipeline.set(`ioredis:p:${i}`, `v${i}`);
    const results = await pipeline.exec();
    assert.ok(results.every(([error, reply]) => error === null && reply === 'OK'));
  });

  await check('scan finds each of them', async () => {
    const found = new Set();
    for await (const batch of redis.scanStream({ match: 'ioredis:p:*', count: 100 })) batch.forEach((k) => found.add(k));
    assert.equal(found.size, 1000);
    assert.equal(await redis.unlink(...found), 1000);
  });

  await check('transactions', async () => {
    assert.deepEqual(await redis.multi().set('ioredis:tx', '1').get('ioredis:tx').exec(), [
      [null, 'OK'],
      [null, '1'],
    ]);
    await redis.watch('ioredis:watched');
    await listener.set('ioredis:watched', 'other');
    assert.equal(await redis.multi().set('ioredis:watched', 'mine').exec(), null);
  });

  await check('keyspace notifications', async () => {
    const before = (await redis.config('GET', 'notify-keyspace-events'))[1] ?? '';
    await redis.config('SET', 'notify-keyspace-events', 'KEA');
    const seen = new Promise((resolve) =>
      listener.on('pmessage', (_pattern, channel, message) => {
        if (message === 'ioredis:a') resolve(channel);
      }),
    );
    await listener.psubscribe('__keyevent@*__:set');
    await redis.set('ioredis:a', 'changed');
    assert.match(await within(seen, 'notification'), /^__keyevent@\d+__:set$/);
    await listener.punsubscribe();
    await redis.config('SET', 'notify-keyspace-events', before);
  });

  await check('other databases', async () => {
    const second = new Redis(url, { db: 9 });
    await second.set('ioredis:only9', '1');
    assert.equal(await redis.exists('ioredis:only9'), 0);
    assert.equal(await second.del('ioredis:only9'), 1);
    await second.quit();
  });

  await redis.del(...keys);
} catch (error) {
  console.error(`failed ioredis: ${error.stack}`);
  process.exitCode = 1;
} finally {
  redis.disconnect();
  listener.disconnect();
}
