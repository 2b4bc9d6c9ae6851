import type { NodeId } from "@raftkv/raft-core";
import { nodeIdOf } from "./identity.ts";

/** A member as the cluster knows it. `name` is empty until the member has started for the first time. */
export interface Member {
  readonly id: bigint;
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
}

/** The members of the cluster: a part of the replicated state, the same everywhere at the same index. */
export class MemberDirectory {
  /** Ascending by id. */
  private list: readonly Member[];

  constructor(members: readonly Member[]) {
    this.list = sorted(members);
  }

  get members(): readonly Member[] {
    return this.list;
  }

  get(id: bigint): Member | undefined {
    return this.list.find((member) => member.id === id);
  }

  byNodeId(nodeId: NodeId): Member | undefined {
    return this.list.find((member) => nodeIdOf(member.id) === nodeId);
  }

  /** A member says, through the log, how it is called and where clients reach it. False if it is not a member. */
  setAttributes(id: bigint, attributes: { readonly name: string; readonly clientUrls: readonly string[] }): boolean {
    if (this.get(id) === undefined) return false;
    this.list = this.list.map((member) => (member.id === id ? { ...member, ...attributes } : member));
    return true;
  }

  replace(members: readonly Member[]): void {
    this.list = sorted(members);
  }
}

function sorted(members: readonly Member[]): readonly Member[] {
  return [...members].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}
