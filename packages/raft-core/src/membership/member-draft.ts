import { assertNever } from "../assert.ts";
import type { Configuration, MemberOperation, NodeId } from "../types.ts";
import { normalized } from "./configuration.ts";

/**
 * A configuration while operations are performed on it, in their order. The half that is being left stays as it is: whoever votes there
 * is tracked until the joint configuration is left, whatever happens to it in the other half.
 */
export class MemberDraft {
  readonly voters: Set<NodeId>;
  private readonly outgoing: ReadonlySet<NodeId>;
  private readonly learners: Set<NodeId>;
  private readonly learnersNext: Set<NodeId>;
  private readonly newcomers = new Set<NodeId>();

  constructor(base: Configuration) {
    this.voters = new Set(base.voters);
    this.outgoing = new Set(base.outgoing);
    this.learners = new Set(base.learners);
    this.learnersNext = new Set(base.learnersNext);
  }

  /** Operations on id 0 are ignored. */
  perform(operations: readonly MemberOperation[]): void {
    for (const operation of operations) if (operation.id !== 0) this.performOne(operation);
  }

  configuration(options: { readonly autoLeave: boolean }): Configuration {
    const { voters, outgoing, learners, learnersNext } = this;
    return normalized({
      voters: [...voters],
      outgoing: [...outgoing],
      learners: [...learners],
      learnersNext: [...learnersNext],
      autoLeave: options.autoLeave,
    });
  }

  /** Those that were not tracked at some moment and are now, ascending. */
  started(): readonly NodeId[] {
    return [...this.newcomers].sort((a, b) => a - b);
  }

  private performOne(operation: MemberOperation): void {
    switch (operation.type) {
      case "addVoter":
        return this.addVoter(operation.id);
      case "addLearner":
        return this.addLearner(operation.id);
      case "remove":
        return this.remove(operation.id);
      case "update":
        return;
      default:
        return assertNever(operation);
    }
  }

  private addVoter(id: NodeId): void {
    if (!this.isTracked(id)) this.newcomers.add(id);
    this.learners.delete(id);
    this.learnersNext.delete(id);
    this.voters.add(id);
  }

  /** A voter of the outgoing half can't be a learner as well, and becomes one only when that half is left. */
  private addLearner(id: NodeId): void {
    if (!this.isTracked(id)) this.newcomers.add(id);
    this.voters.delete(id);
    (this.outgoing.has(id) ? this.learnersNext : this.learners).add(id);
  }

  private remove(id: NodeId): void {
    this.voters.delete(id);
    this.learners.delete(id);
    this.learnersNext.delete(id);
    if (!this.isTracked(id)) this.newcomers.delete(id);
  }

  private isTracked(id: NodeId): boolean {
    return this.voters.has(id) || this.outgoing.has(id) || this.learners.has(id);
  }
}
