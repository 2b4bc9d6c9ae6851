import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noteChild } from "./child-processes.ts";
import { EtcdEndpoint } from "./etcd-endpoint.ts";
import { eventually } from "./eventually.ts";
import { freePorts } from "./free-port.ts";
import { findProgram } from "./program.ts";

/** Where etcd's server is on the PATH, or null. */
export const etcdProgram = findProgram("etcd");

/** A cluster of one real etcd on 127.0.0.1 with data in a temporary directory; it can be killed and started again. */
export class EtcdProcess {
  readonly clientPort: number;
  private readonly peerPort: number;
  private readonly directory: string;
  private child: ChildProcess | null = null;

  private constructor(directory: string, clientPort: number, peerPort: number) {
    this.directory = directory;
    this.clientPort = clientPort;
    this.peerPort = peerPort;
  }

  /** Starts it, and waits until it leads. */
  static async start(): Promise<EtcdProcess> {
    const [clientPort = 0, peerPort = 0] = await freePorts(2);
    const etcd = new EtcdProcess(await mkdtemp(join(tmpdir(), "etcd-")), clientPort, peerPort);
    try {
      await etcd.run();
    } catch (error) {
      await etcd.dispose();
      throw error;
    }
    return etcd;
  }

  get endpoint(): string {
    return `127.0.0.1:${this.clientPort}`;
  }

  /** Starts it on the same data, and waits until it leads. */
  async run(): Promise<void> {
    const client = `http://${this.endpoint}`;
    const peer = `http://127.0.0.1:${this.peerPort}`;
    const flags = [
      "--name=n1",
      `--data-dir=${join(this.directory, "data")}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=n1=${peer}`,
      "--unsafe-no-fsync",
      "--log-level=error",
    ];
    this.child = noteChild(spawn(etcdProgram ?? "etcd", flags, { stdio: "ignore" }));
    const probe = new EtcdEndpoint(this.clientPort);
    try {
      await eventually(() => probe.get("started"));
    } finally {
      await probe.close();
    }
  }

  async kill(): Promise<void> {
    const { child } = this;
    this.child = null;
    if (child === null || child.exitCode !== null) return;
    const ended = once(child, "close");
    child.kill("SIGKILL");
    await ended;
  }

  /** Kills it and removes the data. */
  async dispose(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }
}
