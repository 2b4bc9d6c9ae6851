import type { NodeId } from "@raftkv/raft-core";
import { nodeIdOf } from "./identity.ts";

/** A member as the cluster knows it. `name` is empty and `storeId` 0 until the member has started for the first time. */
export interface Member {
  readonly id: bigint;
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  /** Of its log store: the only one it may come back with. */
  readonly storeId: bigint;
}

/** What a member says about itself. */
export type OwnAttributes = Pick<Member, "name" | "clientUrls" | "storeId">;

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

  /**
   * A member says, through the log, how it is called, where clients reach it and which store it has. Once its store is known, one
   * that comes with another is a different member, and changes nothing.
   */
  setAttributes(id: bigint, attributes: OwnAttributes): "set" | "unknown-member" | "store-replaced" {
    const known = this.get(id);
    if (known === undefined) return "unknown-member";
    if (known.storeId !== 0n && known.storeId !== attributes.storeId) return "store-replaced";
    this.list = this.list.map((member) => (member.id === id ? { ...member, ...attributes } : member));
    return "set";
  }

  replace(members: readonly Member[]): void {
    this.list = sorted(members);
  }
}

function sorted(members: readonly Member[]): readonly Member[] {
  return [...members].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}
