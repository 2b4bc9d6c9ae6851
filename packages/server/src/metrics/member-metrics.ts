import type { MemberState } from "@raftkv/raft-node";
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { etcdClusterVersion, etcdVersion, raftkvVersion } from "../version.ts";
import { CountedHistogram } from "./counted-histogram.ts";
import { type FigureDefinition, figureDefinitions, type MemberFigures } from "./member-figures.ts";

const memberStates: readonly MemberState[] = ["sound", "repairing", "quarantined"];

/**
 * What `/metrics` shows: how the member stands, read when it is asked for, and what Node.js knows of the process. The member itself only
 * counts in plain fields.
 */
export class MemberMetrics {
  private readonly registry = new Registry();
  private readonly read: () => MemberFigures | null;
  /** Of the scrape that is being answered, so that all numbers are of one moment. */
  private figures: MemberFigures | null = null;

  /** `read` gives null until the member runs. */
  constructor(read: () => MemberFigures | null) {
    this.read = read;
    for (const definition of figureDefinitions) this.addFigure(definition);
    this.addMemberState();
    this.addWriteDurations();
    this.addVersions();
    collectDefaultMetrics({ register: this.registry });
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** Everything in Prometheus' text format. */
  scrape(): Promise<string> {
    this.figures = this.read();
    return this.registry.metrics();
  }

  private addFigure({ name, type, help, valueOf }: FigureDefinition): void {
    const valueNow = (): number => (this.figures === null ? 0 : valueOf(this.figures));
    const registers = [this.registry];
    if (type === "gauge") {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(valueNow());
        },
      });
      return;
    }
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(valueNow());
      },
    });
  }

  private addMemberState(): void {
    const gauge = new Gauge<"state">({
      name: "raftkv_member_state",
      help: "1 for the state that this member is in. Repairing: it lost entries and gives no vote before it has them again. Quarantined: it only watches.",
      labelNames: ["state"],
      registers: [this.registry],
      collect: () => {
        for (const state of memberStates) gauge.set({ state }, Number(this.figures?.node.memberState === state));
      },
    });
  }

  private addWriteDurations(): void {
    new CountedHistogram({
      name: "etcd_disk_wal_fsync_duration_seconds",
      help: "How long durable writes to the log took.",
      registry: this.registry,
      read: () => {
        if (this.figures === null) return null;
        const { boundsMs, counts, sumMs } = this.figures.node.log.writeMs;
        return { bounds: boundsMs.map((ms) => ms / 1_000), counts, sum: sumMs / 1_000 };
      },
    });
  }

  private addVersions(): void {
    this.addVersion("etcd_server_version", "server_version", etcdVersion, "Version of etcd whose API this member has.");
    this.addVersion("etcd_cluster_version", "cluster_version", etcdClusterVersion.replace(/\.\d+$/, ""), "The same, of the cluster.");
    this.addVersion("raftkv_version", "version", raftkvVersion, "Version of this member.");
  }

  private addVersion(name: string, label: string, version: string, help: string): void {
    new Gauge({ name, help, labelNames: [label], registers: [this.registry] }).set({ [label]: version }, 1);
  }
}
