import { fileURLToPath } from "node:url";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { expect, test } from "vitest";

test("the store works without Node, clock or chance", async () => {
  const entryPoints = [fileURLToPath(new URL("./index.ts", import.meta.url))];
  const { outputFiles } = await build({
    entryPoints,
    bundle: true,
    format: "iife",
    globalName: "kvstore",
    platform: "neutral",
    write: false,
  });
  const sandbox = createContext({});
  runInContext("Date.now = Math.random = () => { throw new Error('not deterministic'); }", sandbox);
  runInContext("performance = undefined; Date = new Proxy(Date, { construct() { throw new Error('not deterministic'); } })", sandbox);
  runInContext(outputFiles[0]?.text ?? "", sandbox);
  expect(runInContext("typeof process + typeof Buffer + typeof setTimeout", sandbox)).toBe("undefined".repeat(3));
  const script = `
    const store = new kvstore.KVStore();
    for (let i = 0; i < 500; i++) {
      store.leases.grant(BigInt(i + 1), 10, i + 1);
      store.set(new Uint8Array([i & 7, i >> 3]), new Uint8Array(i), { lease: BigInt(i + 1) });
    }
    store.deleteRange(new Uint8Array([3]), new Uint8Array([5]));
    store.compact(300);
    store.reclaim(100);
    store.startHash(0).step(1000);
    store.visitEvents(300, 100, (event) => event.previous);
    const snapshot = store.snapshot();
    const restorer = store.createRestorer();
    for (let chunk = snapshot.nextChunk(); chunk !== null; chunk = snapshot.nextChunk()) restorer.push(chunk);
    snapshot.close();
    restorer.finish();
    store.verify();
    const all = new Uint8Array([0]);
    [store.revision, store.keyCount, store.range(all, all, { sortTarget: "value", sortOrder: "descend", limit: 1 }).records[0].lease].join();
  `;
  expect(runInContext(script, sandbox)).toBe("502,375,499");
});
