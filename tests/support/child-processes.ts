import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

const running = new Set<ChildProcess>();

/** Notes a process that a test has started, so that it ends with its file even if the test was cut off before it could end it. */
export function noteChild<Child extends ChildProcess>(child: Child): Child {
  running.add(child);
  child.once("close", () => running.delete(child));
  return child;
}

/** Kills what still runs. Called when the tests of a file are over. */
export async function killLeftChildren(): Promise<void> {
  const left = [...running].filter(({ pid, exitCode, signalCode }) => pid !== undefined && exitCode === null && signalCode === null);
  const closed = left.map((child) => once(child, "close"));
  for (const child of left) child.kill("SIGKILL");
  await Promise.all(closed);
}
