import type { GetResult, LeaderHint, PutResult, RemoveResult, UpdateResult } from "@raftkv/client";
import { type ExitCode, exitCode } from "./exit-code.ts";
import { idText } from "./status-table.ts";
import type { Terminal } from "./terminal.ts";
import type { ArgumentEncoding } from "./value-argument.ts";

export type OperationResult = PutResult | UpdateResult | GetResult | RemoveResult;

/** How a result is shown. `raw`: the bytes of the value and nothing else. */
export type OutputFormat = "simple" | "json" | "raw";

export interface ShownResult {
  readonly operation: string;
  /** As the user wrote it. */
  readonly key: string;
  readonly result: OperationResult;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Writes a result and returns the exit status that belongs to it. */
export function showResult(shown: ShownResult, format: OutputFormat, encoding: ArgumentEncoding, terminal: Terminal): ExitCode {
  if (format === "json") terminal.writeOut(`${JSON.stringify(jsonResult(shown, encoding))}\n`);
  else showSimple(shown, format, encoding, terminal);
  return exitStatus(shown.result);
}

function exitStatus(result: OperationResult): ExitCode {
  switch (result.outcome) {
    case "created":
    case "replaced":
    case "found":
    case "removed":
      return exitCode.ok;
    case "already-exists":
    case "not-found":
      return exitCode.keyState;
    case "redirect":
      return exitCode.redirect;
    default:
      return assertNever(result);
  }
}

function showSimple({ key, result }: ShownResult, format: OutputFormat, encoding: ArgumentEncoding, terminal: Terminal): void {
  switch (result.outcome) {
    case "created":
    case "replaced":
    case "removed":
      terminal.writeOut(`${result.outcome}\n`);
      break;
    case "found":
      if (format === "raw") terminal.writeOut(result.value);
      else terminal.writeOut(encoding === "hex" ? `${hexText(result.value)}\n` : Buffer.concat([result.value, Buffer.from("\n")]));
      break;
    case "already-exists":
      terminal.writeErr(`raftkv: key "${key}" exists already, raftkv kv update replaces its value\n`);
      break;
    case "not-found":
      terminal.writeErr(`raftkv: key "${key}" does not exist\n`);
      break;
    case "redirect":
      terminal.writeOut(`${redirectText(result.leader)}\n`);
      break;
    default:
      assertNever(result);
  }
}

/** Where the leader is, in a sentence. */
export function redirectText(leader: LeaderHint | null): string {
  if (leader === null) return "not the leader, and no leader is known";
  return `not the leader, the leader is ${leader.name} at ${leader.clientUrls.join(", ") || "an unknown address"}`;
}

/** `value` is there if it is UTF-8, `valueBase64` always; with hex, both key and value are hex. */
function jsonResult({ operation, key, result }: ShownResult, encoding: ArgumentEncoding): object {
  const shown = { operation, key, ...result };
  if (result.outcome === "redirect") {
    return { ...shown, leader: result.leader === null ? null : { ...result.leader, id: idText(result.leader.id) } };
  }
  if (result.outcome !== "found") return shown;
  if (encoding === "hex") return { ...shown, value: hexText(result.value) };
  const valueBase64 = Buffer.from(result.value).toString("base64");
  const text = utf8Text(result.value);
  return text === null ? { ...shown, value: undefined, valueBase64 } : { ...shown, value: text, valueBase64 };
}

function hexText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function utf8Text(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

function assertNever(value: never): never {
  throw new Error(`Assertion failed: Unexpected result ${JSON.stringify(value)}`);
}
