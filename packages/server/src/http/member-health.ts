/** What the health pages ask of the member. */
export interface MemberHealth {
  /** Why the member does not take part as it should, null if it does. */
  readonly trouble: string | null;
  /** Names of the alarms that are active: `NOSPACE`, `CORRUPT`. */
  readonly alarms: readonly string[];
  /** False while no leader is known. */
  readonly hasLeader: boolean;
  readonly isLearner: boolean;
  /** Resolves when a linearizable read could be served. */
  confirmRead(): Promise<unknown>;
  /** Resolves when a read of what this member has could be served. */
  readLocally(): Promise<unknown>;
}
