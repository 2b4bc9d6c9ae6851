import { ProgramError } from "../../terminal.ts";
import { etcdExit } from "../exit-status.ts";
import type { Answer } from "./answer.ts";
import { fieldsOf } from "./fields-format.ts";
import { jsonOf } from "./json-format.ts";
import { jsonText } from "./json-text.ts";
import { simpleOf } from "./simple-format.ts";
import { tableOf } from "./table-format.ts";

export type OutputFormat = "simple" | "fields" | "json" | "table";

export interface OutputSettings {
  readonly format: OutputFormat;
  /** Keys and values as `\x66\x6f`, where the format is simple. */
  readonly hex: boolean;
}

/** Throws ProgramError. */
export function parseOutputFormat(text: string): OutputFormat {
  switch (text) {
    case "simple":
    case "fields":
    case "json":
    case "table":
      return text;
    default:
      throw new ProgramError(etcdExit.badFeature, `unsupported output format "${text}", give simple, fields, json or table`);
  }
}

/** What a table can show. */
const tables: ReadonlySet<Answer["kind"]> = new Set([
  "member-list",
  "endpoint-status",
  "endpoint-health",
  "endpoint-hash",
  "snapshot-status",
]);

/** Call it before anything is asked, so that nothing is done whose answer can't be shown. Throws ProgramError. */
export function checkFormat(format: OutputFormat, kind: Answer["kind"]): void {
  const fits = format === "table" ? tables.has(kind) : format !== "fields" || kind !== "move-leader";
  if (!fits) throw new ProgramError(etcdExit.badFeature, `${format} not supported as output format`);
}

/** The bytes to write. Throws ProgramError if the format has no form for it. */
export function formatAnswer(answer: Answer, { format, hex }: OutputSettings): Uint8Array {
  checkFormat(format, answer.kind);
  switch (format) {
    case "simple":
      return simpleOf(answer, hex);
    case "fields":
      return Buffer.from(fieldsOf(answer));
    case "json":
      return Buffer.from(`${jsonText(jsonOf(answer))}\n`);
    case "table":
      return Buffer.from(tableOf(answer));
    default:
      return assertNever(format);
  }
}

function assertNever(value: never): never {
  throw new Error(`Assertion failed: Unexpected format ${String(value)}`);
}
