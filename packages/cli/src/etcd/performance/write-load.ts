import { randomBytes } from "node:crypto";
import { ClientError, type EtcdClient } from "@raftkv/client";
import type { LoadModel } from "./load-model.ts";
import type { Measurement } from "./verdict.ts";

/** etcdctl's. */
const keyBytes = 256;
const valueBytes = 1024;
const turnMs = 10;

export interface LoadOptions {
  readonly model: LoadModel;
  readonly prefix: string;
  readonly durationMs: number;
  /** Each has one write at a time under way. */
  readonly clients: readonly EtcdClient[];
  readonly stopped: AbortSignal;
  /** Called now and then. */
  readonly onProgress: (doneMs: number) => void;
}

/** Writes new keys at the rate of the model, as evenly as the clients can. Ends early when it is stopped. */
export async function runWriteLoad({ model, prefix, durationMs, clients, stopped, onProgress }: LoadOptions): Promise<Measurement> {
  const value = randomBytes(valueBytes);
  const latenciesMs: number[] = [];
  let failures = 0;
  const idle = [...clients];
  const write = async (etcd: EtcdClient): Promise<void> => {
    const beganMs = performance.now();
    try {
      await etcd.put(`${prefix}${randomBytes(keyBytes / 2).toString("hex")}`, value);
      latenciesMs.push(performance.now() - beganMs);
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      failures += 1;
    }
    idle.push(etcd);
  };
  const running = new Set<Promise<void>>();
  const beganMs = performance.now();
  let begun = 0;
  for (;;) {
    const doneMs = performance.now() - beganMs;
    if (doneMs >= durationMs || stopped.aborted) break;
    const due = Math.floor((doneMs / 1000) * model.writesPerSecond);
    // What all clients together can't carry is not made up for later.
    for (; begun < due; begun++) {
      const etcd = idle.pop();
      if (etcd === undefined) break;
      const one = write(etcd).finally(() => running.delete(one));
      running.add(one);
    }
    onProgress(doneMs);
    await new Promise((resolve) => setTimeout(resolve, turnMs));
  }
  const seconds = (performance.now() - beganMs) / 1000;
  await Promise.all(running);
  return { latenciesMs, failures, seconds };
}
