type Replacement = { readonly target: object; readonly key: PropertyKey; readonly before: PropertyDescriptor | undefined };

function forbidden(name: string): () => never {
  return () => {
    throw new Error(`${name} was used in a simulated run: only the ports know time and chance`);
  };
}

/** `Date` without a clock: dates made from a number still work. */
function dateWithoutClock(RealDate: DateConstructor): DateConstructor {
  const refuse = forbidden("The current date");
  return new Proxy(RealDate, {
    apply: refuse,
    construct: (target, parts: unknown[], newTarget): object =>
      parts.length === 0 ? refuse() : (Reflect.construct(target, parts, newTarget) as object),
    get: (target, key, receiver): unknown => (key === "now" ? refuse : Reflect.get(target, key, receiver)),
  });
}

const timerNames = ["setTimeout", "setInterval", "setImmediate"] as const;

/**
 * Takes clocks, timers and chance away from the whole process while a run lasts, so that a use outside the ports fails at once
 * instead of making runs differ. One run at a time: two would take turns with each other.
 */
export class GlobalGuard {
  static #installed: GlobalGuard | null = null;
  readonly #replaced: Replacement[] = [];
  readonly #rejectionListeners: NodeJS.UnhandledRejectionListener[];
  readonly #onRejection: (reason: unknown) => void;

  private constructor(onRejection: (reason: unknown) => void) {
    this.#onRejection = onRejection;
    this.#rejectionListeners = process.listeners("unhandledRejection");
  }

  /** `onRejection` gets promises that were rejected and that nobody waits for. Throws if a run is under way. */
  static install(onRejection: (reason: unknown) => void): GlobalGuard {
    if (GlobalGuard.#installed !== null) throw new Error("Another simulation runs in this process; wait for it");
    const guard = new GlobalGuard(onRejection);
    GlobalGuard.#installed = guard;
    guard.#takeAway();
    return guard;
  }

  remove(): void {
    for (const { target, key, before } of this.#replaced.reverse()) {
      if (before === undefined) Reflect.deleteProperty(target, key);
      else Object.defineProperty(target, key, before);
    }
    process.removeListener("unhandledRejection", this.#onRejection);
    for (const listener of this.#rejectionListeners) process.on("unhandledRejection", listener);
    GlobalGuard.#installed = null;
  }

  #takeAway(): void {
    for (const name of timerNames) this.#replace(globalThis, name, forbidden(name));
    this.#replace(globalThis, "Date", dateWithoutClock(Date));
    this.#replace(Math, "random", forbidden("Math.random"));
    this.#replace(performance, "now", forbidden("performance.now"));
    this.#replace(process, "hrtime", Object.assign(forbidden("process.hrtime"), { bigint: forbidden("process.hrtime.bigint") }));
    this.#replace(crypto, "getRandomValues", forbidden("crypto.getRandomValues"));
    this.#replace(crypto, "randomUUID", forbidden("crypto.randomUUID"));
    this.#replace(AbortSignal, "timeout", forbidden("AbortSignal.timeout"));
    // The rejection belongs to the run, which names its seed.
    process.removeAllListeners("unhandledRejection");
    process.on("unhandledRejection", this.#onRejection);
  }

  #replace(target: object, key: PropertyKey, value: unknown): void {
    const before = Object.getOwnPropertyDescriptor(target, key);
    Object.defineProperty(target, key, { value, configurable: true, writable: true, enumerable: before?.enumerable ?? false });
    this.#replaced.push({ target, key, before });
  }
}
