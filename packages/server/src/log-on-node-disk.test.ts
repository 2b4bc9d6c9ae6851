import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLogStore } from "@raftkv/log-store";
import { describeLogStore } from "@raftkv/raft-node/testing";
import { nodePorts } from "./ports/index.ts";

describeLogStore("files on the disk of this machine", async () => {
  const directory = await mkdtemp(join(tmpdir(), "raftkv-"));
  const ports = nodePorts({ logLevel: "fatal" });
  return {
    open: () => openLogStore({ ...ports, directory: join(directory, "member"), identity: { clusterId: 1n, memberId: 2n } }),
    openAfterCrash: () => Promise.reject(new Error("A test can't cut the power of this machine")),
    close: () => rm(directory, { recursive: true }),
    supports: { crash: false },
  };
});
