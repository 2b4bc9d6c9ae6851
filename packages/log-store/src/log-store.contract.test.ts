import { describeLogStore } from "@raftkv/raft-node/testing";
import { openTestStore, SeededRandom } from "./testing/fixture.ts";
import { MemoryDisk } from "./testing/memory-disk.ts";

let seed = 0;

describeLogStore("files on a disk in memory", async () => {
  seed += 1;
  const random = new SeededRandom(seed);
  let disk = new MemoryDisk();
  let opened = 0;
  const open = (limits: { readonly recoveredBytesMax?: number } = {}) => {
    opened += 1;
    return openTestStore(disk, { seed: seed * 100 + opened, ...limits });
  };
  return {
    open,
    openSparingly: () => open({ recoveredBytesMax: 0 }),
    openAfterCrash: () => {
      disk = disk.afterPowerLoss(() => random.below(2) === 0);
      return open();
    },
    supports: { crash: true },
  };
});
