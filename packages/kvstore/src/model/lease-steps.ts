import type { ModelState, Step } from "./model-state.ts";
import { leaseIds } from "./request-generator.ts";

export const leaseSteps = {
  grant: { weight: 40, run: grant },
  revoke: { weight: 12, run: revoke },
  expire: { weight: 12, run: expire },
  checkpoint: { weight: 10, run: checkpoint },
  keysOfLease: { weight: 20, run: keysOfLease },
} as const satisfies Readonly<Record<string, Step>>;

function grant(state: ModelState): void {
  const { model } = state;
  const [id, ttlSeconds, grantNumber] = [state.choice.of(leaseIds), 1 + state.choice.below(100), ++state.index];
  state.note(id, ttlSeconds, grantNumber);
  const isThere = model.leases.some((lease) => lease.id === id);
  if (!isThere) model.leases = [...model.leases, { id, ttlSeconds, grantNumber, remainingSeconds: 0 }];
  state.expectBoth((store) => store.leases.grant(id, ttlSeconds, grantNumber), isThere ? "already-exists" : "granted");
}

function revoke(state: ModelState): void {
  const id = anyLease(state);
  state.note(id);
  const expected = expectedRevoke(state, id);
  state.expectBoth((store) => store.leases.revoke(id), expected);
}

/** Stale in one of four ways now and then. */
function expire(state: ModelState): void {
  const id = anyLease(state);
  const lease = state.model.leases.find((each) => each.id === id);
  const grantNumber = (lease?.grantNumber ?? 1) + state.choice.of([0, 0, 0, -1, 1]);
  const [term, entryTerm] = [5, state.choice.of([5, 5, 5, 6, 4])];
  state.note(id, grantNumber, term, entryTerm);
  const isStale = lease !== undefined && (lease.grantNumber !== grantNumber || term !== entryTerm);
  const expected = isStale ? { outcome: "stale" } : expectedRevoke(state, id);
  state.expectBoth((store) => store.leases.expire({ id, grantNumber, term }, entryTerm), expected);
}

function expectedRevoke({ model }: ModelState, id: bigint): unknown {
  if (!model.leases.some((lease) => lease.id === id)) return { outcome: "not-found" };
  const deleted = model.revoke(id);
  return { outcome: "revoked", revision: model.revision, deleted };
}

function checkpoint(state: ModelState): void {
  const { model } = state;
  const [id, seconds] = [anyLease(state), state.choice.below(120) - 10];
  state.note(id, seconds);
  const isThere = model.leases.some((lease) => lease.id === id);
  model.leases = model.leases.map((lease) => {
    return lease.id === id ? { ...lease, remainingSeconds: Math.max(0, Math.min(seconds, lease.ttlSeconds)) } : lease;
  });
  state.expectBoth((store) => store.leases.checkpoint(id, seconds), isThere);
}

function keysOfLease(state: ModelState): void {
  const id = anyLease(state);
  state.note(id);
  state.expectBoth((store) => store.leases.keysOf(id), state.model.keysOfLease(id));
  state.expectBoth((store) => store.leases.get(id), state.model.leases.find((lease) => lease.id === id) ?? null);
}

function anyLease({ generator }: ModelState): bigint {
  return generator.lease() || 1n;
}
