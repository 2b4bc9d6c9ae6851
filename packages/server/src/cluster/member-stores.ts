import { CodecError, decodeCommand, isMemberAttributesCommand, UnknownCommandError } from "@raftkv/api";
import type { LogEntry } from "@raftkv/raft-core";
import { commandsOf } from "@raftkv/raft-node";
import { idText } from "./identity.ts";
import type { MemberDirectory } from "./member-directory.ts";

/**
 * Which store each member has to come with. A member whose directory was emptied has forgotten its vote and what it acknowledged;
 * nobody may count on it as if it were the one that the cluster knows (quarantine by store identity). The member directory is what
 * holds. Until an entry with a member's store is applied here, its word counts: what it wrote into the log, committed or not, and
 * what it has shown since this process started.
 */
export class MemberStores {
  private readonly directory: MemberDirectory;
  /** At most one for each member. */
  private readonly shown = new Map<bigint, bigint>();

  constructor(directory: MemberDirectory) {
    this.directory = directory;
  }

  isMember(id: bigint): boolean {
    return this.directory.get(id) !== undefined;
  }

  /** 0 while nobody has heard of it. */
  known(id: bigint): bigint {
    const listed = this.directory.get(id)?.storeId ?? 0n;
    return listed === 0n ? (this.shown.get(id) ?? 0n) : listed;
  }

  /** Why a member with this store is not spoken to, or null. Called for every batch of messages. */
  refusal(id: bigint, storeId: bigint): string | null {
    const known = this.known(id);
    if (known === storeId || known === 0n) return null;
    return (
      `member ${idText(id)} has another store than the cluster knows: its data directory was emptied or replaced; ` +
      "it must be removed from the cluster and added again"
    );
  }

  /** The first word of a member counts. */
  remember(id: bigint, storeId: bigint): void {
    if (this.isMember(id) && this.known(id) === 0n && storeId !== 0n) this.shown.set(id, storeId);
  }

  /** Takes from the log what members said that this member may not have applied yet. */
  rememberAll(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      if (entry.kind !== "command") continue;
      for (const command of commandsOf(entry.data)) {
        const attributes = attributesIn(command);
        if (attributes !== null) this.remember(attributes.memberId, attributes.storeId);
      }
    }
  }
}

function attributesIn(command: Uint8Array): { readonly memberId: bigint; readonly storeId: bigint } | null {
  if (!isMemberAttributesCommand(command)) return null;
  try {
    const decoded = decodeCommand(command);
    return decoded.type === "memberAttributes" ? decoded.attributes : null;
  } catch (error) {
    // What can't be read is refused, or stops the member, when it is applied.
    if (error instanceof CodecError || error instanceof UnknownCommandError) return null;
    throw error;
  }
}
