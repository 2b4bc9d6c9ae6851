import { chmod, link, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLogStore } from "@raftkv/log-store";
import type { LogStore } from "@raftkv/raft-node";
import { describeLogStore } from "@raftkv/raft-node/testing";
import { expect, test } from "vitest";
import { nodePorts } from "./ports/index.ts";

describeLogStore("files on the disk of this machine", async () => {
  const directory = await mkdtemp(join(tmpdir(), "raftkv-"));
  const ports = nodePorts({ logLevel: "fatal" });
  const options = { ...ports, directory: join(directory, "member"), identity: { clusterId: 1n, memberId: 2n } };
  return {
    open: () => openLogStore(options),
    openSparingly: () => openLogStore({ ...options, recoveredBytesMax: 0 }),
    openAfterCrash: () => Promise.reject(new Error("A test can't cut the power of this machine")),
    close: () => rm(directory, { recursive: true }),
    supports: { crash: false },
  };
});

test("no file among the damaged ones keeps a member from starting, whatever it is", async () => {
  const root = await mkdtemp(join(tmpdir(), "raftkv-"));
  const [wal, damaged] = [join(root, "wal"), join(root, "damaged")];
  const ports = nodePorts({ logLevel: "fatal" });
  const open = (): Promise<LogStore> =>
    openLogStore({ ...ports, directory: root, identity: { clusterId: 1n, memberId: 2n }, segmentBytes: 65_536, firstSegmentBytes: 65_536 });
  /** Writes an entry, and damages the page that it stands in. */
  const damageAgain = async (): Promise<void> => {
    const store = await open();
    await store.append({
      hardState: { term: 1, vote: 0, commit: 0 },
      entries: [{ index: 1, term: 1, kind: "command", data: new Uint8Array([7]) }],
    });
    await store.close();
    for (const name of await readdir(wal)) {
      const bytes = await readFile(join(wal, name));
      if (bytes[12_288] !== 0) await writeFile(join(wal, name), bytes.fill(0xa5, 12_288 + 64, 12_288 + 80));
    }
  };
  try {
    await damageAgain();
    await damageAgain();
    for (const name of await readdir(damaged)) await chmod(join(damaged, name), 0o644);
    const [first = ""] = await readdir(damaged);
    await link(join(damaged, first), join(damaged, "0000000000000000-0000000000000001.wal"));
    await symlink("nowhere", join(damaged, "0000000000000000-decision.txt"));
    await mkdir(join(damaged, "0000000000000000-0000000000000002.wal"));
    await mkdir(join(damaged, "0000000000000000-decision.tmp"));
    for (let start = 0; start < 6; start++) await damageAgain();
    const store = await open();
    expect(store.recovered.lost).toMatchObject({ from: 1 });
    await store.close();
  } finally {
    await rm(root, { recursive: true });
  }
});
