import { parseFlags, UsageError, wholeNumber } from "../option-values.ts";

export interface KvstoreBenchOptions {
  /** Keys in each store before anything is measured. */
  readonly keyCount: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
  /** Of each operation, each round with other keys. */
  readonly rounds: number;
  /** Operations of one kind in one round, fewer where they take more than a second. */
  readonly operations: number;
  /** Fail when a target is missed. */
  readonly check: boolean;
}

const keyBytesMin = 32;
const keyBytesMax = 4096;

export const kvstoreUsage = `Usage: npm run bench -w packages/kvstore -- [options]

Measures single operations of the key-value store in memory, beside a B+tree from npm and a Map with a sorted array of its keys.

  --keys N          keys in each store, in random order (default 1000000)
  --key-bytes N     length of a key; all but the last 16 bytes are the same (default 64)
  --value-bytes N   length of a value (default 256)
  --rounds N        rounds of each operation (default 3)
  --operations N    operations of one kind in a round (default 100000)
  --check           fail when a target is missed
  --help
`;

const flags = {
  keys: { type: "string", default: "1000000" },
  "key-bytes": { type: "string", default: "64" },
  "value-bytes": { type: "string", default: "256" },
  rounds: { type: "string", default: "3" },
  operations: { type: "string", default: "100000" },
  check: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

/** Null: help is asked for. Throws UsageError. */
export function parseKvstoreBenchOptions(args: readonly string[]): KvstoreBenchOptions | null {
  const values = parseFlags(args, flags);
  if (values.help) return null;
  const keyBytes = wholeNumber("--key-bytes", values["key-bytes"], keyBytesMax);
  if (keyBytes < keyBytesMin) throw new UsageError(`--key-bytes ${keyBytes} is below ${keyBytesMin}`);
  return {
    keyCount: wholeNumber("--keys", values.keys, 20_000_000),
    keyBytes,
    valueBytes: wholeNumber("--value-bytes", values["value-bytes"], 1024 * 1024),
    rounds: wholeNumber("--rounds", values.rounds, 1000),
    operations: wholeNumber("--operations", values.operations, 10_000_000),
    check: values.check,
  };
}
