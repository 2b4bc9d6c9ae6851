import { encodeMemberAttributesCommand, type MemberAttributes } from "@raftkv/api";
import { type Clock, type Logger, NodeError, type Timer } from "@raftkv/raft-node";
import type { ServiceContext } from "../services/service-context.ts";
import type { ApplyResult } from "../state/apply-result.ts";

const retryMs = 500;

/**
 * Tells the cluster, through the log, how this member is called, where clients reach it and which store it has; again after each
 * start, if that changed. Tries until it is known, or refused because the cluster knows another store of this member.
 */
export class AttributesPublisher {
  private readonly context: ServiceContext;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly attributes: MemberAttributes;
  private timer: Timer | null = null;
  private stopped = false;

  constructor(context: ServiceContext, options: { readonly clock: Clock; readonly logger: Logger; readonly attributes: MemberAttributes }) {
    this.context = context;
    this.clock = options.clock;
    this.logger = options.logger;
    this.attributes = options.attributes;
    this.publish();
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  /** Asks the leader first: what this member has applied so far may be old. */
  private publish(): void {
    this.context.node
      .readBarrier()
      .then(() => (this.isKnown() ? null : this.context.node.propose(encodeMemberAttributesCommand(this.attributes))))
      .then(
        (result) => this.report(result),
        (error: unknown) => {
          if (!(error instanceof NodeError)) throw error;
          if (!this.stopped) this.timer = this.clock.setTimer(retryMs, () => this.publish());
        },
      );
  }

  private report(result: ApplyResult | null): void {
    const { name } = this.attributes;
    if (result?.outcome === "refused") {
      this.logger.error("the cluster refused what this member published about itself", { name, reason: result.reason });
    } else {
      this.logger.info("published local member to cluster through raft", { name });
    }
  }

  private isKnown(): boolean {
    const { memberId, name, clientUrls, storeId } = this.attributes;
    const known = this.context.state.directory.get(memberId);
    if (known?.name !== name || known.storeId !== storeId) return false;
    return known.clientUrls.join() === clientUrls.join();
  }
}
