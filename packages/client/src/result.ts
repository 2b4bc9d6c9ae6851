/** Where the leader is, as a member told it. */
export interface LeaderHint {
  /** Member id. */
  readonly id: bigint;
  readonly name: string;
  readonly clientUrls: readonly string[];
}

/** Only with `followRedirects: false`: the member that was asked is not the leader. `leader` is null while there is none. */
export interface RedirectResult {
  readonly outcome: "redirect";
  readonly leader: LeaderHint | null;
}

/** `revision` is the store's after the operation. */
export type PutResult =
  | { readonly outcome: "created"; readonly revision: number }
  | { readonly outcome: "already-exists" }
  | RedirectResult;

export type UpdateResult = { readonly outcome: "created" | "replaced"; readonly revision: number } | RedirectResult;

export type GetResult =
  | { readonly outcome: "found"; readonly value: Uint8Array; readonly revision: number }
  | { readonly outcome: "not-found" }
  | RedirectResult;

export type RemoveResult = { readonly outcome: "removed"; readonly revision: number } | { readonly outcome: "not-found" } | RedirectResult;
