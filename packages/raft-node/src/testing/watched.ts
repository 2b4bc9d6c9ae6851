/** What has become of a promise by now. */
export interface Watched<Value> {
  readonly value: Value | null;
  readonly error: unknown;
}

/** Looks at a promise without waiting for it. */
export function watched<Value>(promise: Promise<Value>): Watched<Value> {
  const seen: { value: Value | null; error: unknown } = { value: null, error: null };
  promise.then(
    (value) => {
      seen.value = value;
    },
    (error: unknown) => {
      seen.error = error;
    },
  );
  return seen;
}
