import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LoneServer, loneServers } from "../support/lone-server.ts";
import { findPython, runPython } from "../support/python-script.ts";

const python = findPython("etcd3");
if (python === null) console.warn("python3-etcd3 is not installed (Debian package of that name): its tests are skipped");

describe.skipIf(python === null).each(loneServers)("python3-etcd3, unchanged, with $name", ({ start }) => {
  let server: LoneServer;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.dispose());

  test.each(["keys", "transactions", "leases", "watches", "locks", "maintenance"])("%s", async (part) => {
    const script = new URL("python-etcd3.py", import.meta.url);
    expect(await runPython(python ?? "", script, String(server.port), part)).toBe(`${part}: done\n`);
  });
});
