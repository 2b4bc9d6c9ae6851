import { type LoadShape, parseLoadShape } from "../load/load-shape.ts";
import { knownNames, orUsageError, parseFlags, secondsInMs, wholeNumber } from "../option-values.ts";
import { messageBytes } from "./echo-service.ts";

export const rpcPartNames = ["unary", "stream", "tls", "client", "client-stream"] as const;
export type RpcPartName = (typeof rpcPartNames)[number];

export interface RpcBenchOptions {
  readonly parts: readonly RpcPartName[];
  /** Of every part that is measured under it by default; null: the defaults. */
  readonly shapes: readonly LoadShape[] | null;
  readonly rounds: number;
  /** Of one implementation in one round, without the warm-up. */
  readonly turnMs: number;
  /** Flags of Node.js for our server and our client alone, such as those that write a profile. */
  readonly ownNodeFlags: readonly string[];
  /** Measure nothing but ours. */
  readonly alone: boolean;
  readonly jsonFile: string | null;
  /** Fail when a target is missed. */
  readonly check: boolean;
}

export const rpcUsage = `Usage: npm run bench -w packages/raft-rpc -- [options]

Measures echo calls of ${messageBytes} bytes: raft-rpc beside @grpc/grpc-js, node:http2 and, where Python has it, gRPC's C library.

  --only NAMES      parts, of ${rpcPartNames.join(",")} (default all)
  --load SHAPES     CONNECTIONSxCALLS in flight on each, such as 10x100 (default 1x1,10x10,10x100, fewer in some parts)
  --rounds N        rounds of each cell; all take turns (default 3)
  --seconds S       length of one turn (default 0.4)
  --node-flags=F    of Node.js for our own server and client, such as --cpu-prof
  --alone           measure ours only
  --json FILE       write the figures there, too
  --check           fail when a target is missed
  --help
`;

const flags = {
  only: { type: "string", default: rpcPartNames.join(",") },
  load: { type: "string" },
  rounds: { type: "string", default: "3" },
  seconds: { type: "string", default: "0.4" },
  "node-flags": { type: "string", default: "" },
  alone: { type: "boolean", default: false },
  json: { type: "string" },
  check: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

const secondsMin = 0.05;

/** Null: help is asked for. Throws UsageError. */
export function parseRpcBenchOptions(args: readonly string[]): RpcBenchOptions | null {
  const values = parseFlags(args, flags);
  if (values.help) return null;
  return {
    parts: knownNames("Part", values.only, rpcPartNames),
    shapes: values.load === undefined ? null : orUsageError(() => values.load?.split(",").map(parseLoadShape) ?? null),
    rounds: wholeNumber("--rounds", values.rounds, 1000),
    turnMs: secondsInMs("--seconds", values.seconds, secondsMin),
    ownNodeFlags: values["node-flags"].split(" ").filter((flag) => flag !== ""),
    alone: values.alone,
    jsonFile: values.json ?? null,
    check: values.check,
  };
}
