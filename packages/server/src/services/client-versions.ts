import type { CallInfo, ServerInterceptor } from "@raftkv/raft-rpc";

export type CallType = "unary" | "stream";

export interface VersionCount {
  /** What the clients name, or `unknown`. */
  readonly version: string;
  unary: number;
  stream: number;
}

const unknownVersion = "unknown";
const versionPattern = /^\d{1,3}(\.\d{1,3}){0,2}$/;
/** Other versions than these count as unknown: a client may name what it likes. */
const versionsMax = 32;

/** Counts calls by the version of etcd's API that clients name in their metadata (`client-api-version`). */
export class ClientVersions implements ServerInterceptor {
  private readonly typeOf: (path: string) => CallType;
  private readonly byVersion = new Map<string, VersionCount>();

  constructor(typeOf: (path: string) => CallType) {
    this.typeOf = typeOf;
  }

  get counts(): Iterable<Readonly<VersionCount>> {
    return this.byVersion.values();
  }

  admit({ path, metadata }: Pick<CallInfo, "path" | "metadata">): void {
    this.countOf(metadata.get("client-api-version") ?? unknownVersion)[this.typeOf(path)]++;
  }

  private countOf(version: string): VersionCount {
    const known = this.byVersion.get(version);
    if (known !== undefined) return known;
    if (version !== unknownVersion && (!versionPattern.test(version) || this.byVersion.size >= versionsMax))
      return this.countOf(unknownVersion);
    const count = { version, unary: 0, stream: 0 };
    this.byVersion.set(version, count);
    return count;
  }
}
