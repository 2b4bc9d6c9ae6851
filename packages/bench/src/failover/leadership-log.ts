import type { MemberStatus } from "../cluster/member-channel.ts";

/** What one look at a member showed: null if it did not answer. */
export interface Look {
  readonly member: string;
  readonly status: MemberStatus | null;
}

/** Who led, as looks at all members tell. */
export class LeadershipLog {
  readonly #leaders = new Set<string>();
  #firstTerm: bigint | null = null;
  #lastTerm = 0n;
  #looks = 0;
  #unanswered = 0;

  /**
   * How often the leader changed, or tried to be changed: the terms that passed. A term has one leader at most (Raft paper 5.2), and a candidate
   * raises it, so this also counts what came and went between two looks.
   */
  get changes(): number {
    return this.#firstTerm === null ? 0 : Number(this.#lastTerm - this.#firstTerm);
  }

  /** `m2, term 2` for each one that was seen. */
  get leaders(): readonly string[] {
    return [...this.#leaders];
  }

  /** At all members together. */
  get looks(): number {
    return this.#looks;
  }

  get unanswered(): number {
    return this.#unanswered;
  }

  note({ member, status }: Look): void {
    this.#looks++;
    if (status === null) {
      this.#unanswered++;
      return;
    }
    this.#firstTerm ??= status.term;
    if (status.term > this.#lastTerm) this.#lastTerm = status.term;
    if (status.isLeader) this.#leaders.add(`${member}, term ${status.term}`);
  }
}
