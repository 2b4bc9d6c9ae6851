import type { QuarantineEvidence } from "@raftkv/raft-core";
import type { Clock, MemberRepairStatus, Timer } from "@raftkv/raft-node";
import { type Dispatcher, HealthService, ServingStatus } from "@raftkv/raft-rpc";
import { memberTrouble } from "./member-trouble.ts";

/** How often the member is looked at: load balancers ask every few seconds. */
const intervalMs = 1_000;

export interface HealthReporterOptions {
  /** Both null for a sound member. */
  readonly node: { readonly quarantine: QuarantineEvidence | null; readonly repair: MemberRepairStatus | null };
  readonly clock: Pick<Clock, "setTimer">;
}

/**
 * `grpc.health.v1.Health` of the member as a whole, as etcd has it: SERVING, and NOT_SERVING while the member is under repair or in quarantine
 * and from when it begins to close, so that clients go elsewhere.
 */
export class HealthReporter {
  private readonly health = new HealthService();
  private readonly options: HealthReporterOptions;
  private timer: Timer | null = null;

  constructor(options: HealthReporterOptions) {
    this.options = options;
    this.look();
  }

  register(dispatcher: Dispatcher): void {
    this.health.addTo(dispatcher);
  }

  /** The member begins to close. */
  stop(): void {
    this.timer?.cancel();
    this.health.shutDown();
  }

  private look(): void {
    const isSound = memberTrouble(this.options.node) === null;
    this.health.setStatus("", isSound ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
    this.timer = this.options.clock.setTimer(intervalMs, () => this.look());
  }
}
