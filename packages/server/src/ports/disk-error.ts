import { DiskError, type DiskErrorCode } from "@raftkv/raft-node";

const codes: Readonly<Record<string, DiskErrorCode>> = {
  ENOENT: "not-found",
  ENOTDIR: "not-a-directory",
  EEXIST: "exists",
  ENOSPC: "no-space",
  EDQUOT: "no-space",
  EROFS: "read-only",
  EACCES: "permission",
  EPERM: "permission",
  ELOOP: "permission",
};

/** The system's name of an error, `ENOENT`, if it has one. */
export function systemCode(reason: unknown): string | null {
  if (!(reason instanceof Error) || !("code" in reason)) return null;
  return typeof reason.code === "string" ? reason.code : null;
}

/** Gives an error of node:fs its code and a sentence: `Cannot open /data/meta: ENOENT: no such file or directory`. */
export function diskError(reason: unknown, verb: string, path: string): DiskError {
  if (reason instanceof DiskError) return reason;
  const code = codes[systemCode(reason) ?? ""] ?? "io";
  // Node ends its messages with the system call and the path: `ENOENT: no such file or directory, open '/data/meta'`.
  const why = reason instanceof Error ? reason.message.replace(/, [a-z]+( '.*)?$/s, "") : String(reason);
  return new DiskError(code, path, `Cannot ${verb} ${path}: ${why}`, { cause: reason });
}

/** Awaits a call of node:fs and gives its error a code. */
export async function onDisk<T>(verb: string, path: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (reason) {
    throw diskError(reason, verb, path);
  }
}
