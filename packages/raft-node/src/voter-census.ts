import type { Configuration, NodeId } from "@raftkv/raft-core";

/**
 * What a member knows of a voter while nobody leads.
 *
 * - `sound` it asks for votes, or answers who asks, without a mark of repair.
 * - `repairing` it lost entries, and marks its refusals.
 * - `quarantined` only of this member itself: others in quarantine are silent.
 * - `silent` it is connected and says nothing.
 * - `away` it is not connected.
 */
export type VoterState = "sound" | "repairing" | "quarantined" | "silent" | "away";

export interface VoterCensusOptions {
  readonly configuration: Configuration;
  readonly stateOf: (voter: NodeId) => VoterState;
  /** How people know a member. */
  readonly nameOf: (id: NodeId) => string;
}

/** The voters at a moment without a leader, and what follows for whoever has to help. */
export class VoterCensus {
  private readonly options: VoterCensusOptions;

  constructor(options: VoterCensusOptions) {
    this.options = options;
  }

  /** The names of those that are in this state. */
  named(state: VoterState): readonly string[] {
    const { configuration, stateOf, nameOf } = this.options;
    const voters = [...new Set([...configuration.voters, ...configuration.outgoing])];
    return voters.filter((id) => stateOf(id) === state).map(nameOf);
  }

  /** As in `1 of 3 voters known to be sound, 2 needed`. A joint configuration needs a majority of both halves. */
  get count(): string {
    const { voters, outgoing } = this.options.configuration;
    const current = `${this.among(voters, ["sound"])} of ${voters.length} voters known to be sound, ${majorityOf(voters)} needed`;
    if (outgoing.length === 0) return current;
    return `${current}; of the ${outgoing.length} that are being left ${this.among(outgoing, ["sound"])}, ${majorityOf(outgoing)} needed`;
  }

  /** What a person can do. */
  get advice(): string {
    if (this.suffices(["sound"])) return "enough are sound: see whether they hear each other within the election time-out";
    if (!this.suffices(["sound", "silent", "away"])) {
      return "a majority is damaged, and without a leader no repair ends: begin a new cluster from what a sound member holds";
    }
    const away = this.named("away");
    if (away.length > 0) return `start or connect ${away.join(", ")}`;
    return `ask ${this.named("silent").join(", ")} for the status: a quarantined member is silent`;
  }

  /** Everything in a sentence. */
  get sentence(): string {
    const groups = groupTexts.flatMap(([state, text]) => {
      const names = this.named(state);
      return names.length === 0 ? [] : [`${text}: ${names.join(", ")}`];
    });
    return `${[this.count, ...groups].join("; ")}. To do: ${this.advice}`;
  }

  private suffices(states: readonly VoterState[]): boolean {
    const { voters, outgoing } = this.options.configuration;
    const hasMajority = (half: readonly NodeId[]): boolean => half.length === 0 || this.among(half, states) >= majorityOf(half);
    return hasMajority(voters) && hasMajority(outgoing);
  }

  private among(voters: readonly NodeId[], states: readonly VoterState[]): number {
    return voters.filter((id) => states.includes(this.options.stateOf(id))).length;
  }
}

const groupTexts: readonly (readonly [VoterState, string])[] = [
  ["repairing", "under repair"],
  ["quarantined", "quarantined"],
  ["silent", "connected, but silent as quarantined members are"],
  ["away", "not connected"],
];

function majorityOf(voters: readonly NodeId[]): number {
  return Math.floor(voters.length / 2) + 1;
}
