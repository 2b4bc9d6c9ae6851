import type { RpcClock, RpcTimer } from "../rpc-clock.ts";

/** The clock of this machine. Its timers do not keep the process alive. */
export class SystemClock implements RpcClock {
  monotonicMs(): number {
    return performance.now();
  }

  setTimer(delayMs: number, wake: () => void): RpcTimer {
    // setTimeout may fire up to a millisecond early.
    const timer = setTimeout(wake, Math.ceil(delayMs) + 1);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  }

  atEndOfTurn(wake: () => void): void {
    setImmediate(wake);
  }
}
