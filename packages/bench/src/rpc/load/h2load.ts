import { execFile, spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { promisify } from "node:util";
import { LatencyHistogram, type LatencySummary } from "../../load/latency-histogram.ts";
import type { LoadShape } from "../../load/load-shape.ts";
import { unaryPath } from "../echo-service.ts";

const run = promisify(execFile);
const usPerMs = 1000;

export interface H2loadOptions extends LoadShape {
  /** Of the server: `http://127.0.0.1:1234`. */
  readonly origin: string;
  /** One message with its prefix: the body of every request. */
  readonly bodyFile: string;
  readonly warmUpMs: number;
  readonly durationMs: number;
}

export interface H2loadCount {
  /** Within the duration. */
  readonly answers: number;
  /** What went wrong, or null. */
  readonly failure: string | null;
}

export interface H2loadLatencies {
  readonly latency: LatencySummary;
  /** What went wrong, or null. */
  readonly failure: string | null;
}

/** The first line of what `h2load --version` says, or null if it is not there. */
export function h2loadVersion(): string | null {
  const { status, stdout } = spawnSync("h2load", ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}

/**
 * Counts unary calls by nghttp2's h2load, as many as it makes. It knows nothing of gRPC: who asks compares its answers with those that the
 * server counted.
 */
export async function countAnswers(options: H2loadOptions, signal: AbortSignal): Promise<H2loadCount> {
  return parseH2load(await h2load(options, [], signal));
}

/**
 * How long each of such calls takes. h2load writes a line for each to `logFile`, which is removed in the end: that costs it a third of its
 * time, so that it would limit the rate of a fast server.
 */
export async function timeAnswers(options: H2loadOptions, logFile: string, signal: AbortSignal): Promise<H2loadLatencies> {
  try {
    const { failure } = parseH2load(await h2load(options, [`--log-file=${logFile}`], signal));
    return { latency: parseLatencies(readFileSync(logFile, "latin1")), failure };
  } finally {
    rmSync(logFile, { force: true });
  }
}

/** Resolves to what it prints. */
async function h2load(options: H2loadOptions, flags: readonly string[], signal: AbortSignal): Promise<string> {
  const { origin, bodyFile, connections, inFlight, warmUpMs, durationMs } = options;
  const shape = ["-c", String(connections), "-m", String(inFlight), "-D", `${durationMs}ms`, `--warm-up-time=${warmUpMs}ms`];
  const request = ["-d", bodyFile, "-H", "content-type: application/grpc", "-H", "te: trailers"];
  const { stdout } = await run("h2load", [...shape, ...request, ...flags, `${origin}${unaryPath}`], { signal });
  return stdout;
}

/** Reads what it prints at its end. */
export function parseH2load(output: string): H2loadCount {
  const counts = /(\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(output);
  if (counts === null) return { answers: 0, failure: "h2load did not say how many requests it made" };
  const [done = 0, succeeded = 0] = counts.slice(1).map(Number);
  return { answers: succeeded, failure: done > 0 && done === succeeded ? null : counts[0] };
}

/** Rows of `start time, status, microseconds`, as `--log-file` has them. */
export function parseLatencies(log: string): LatencySummary {
  const latencies = new LatencyHistogram();
  for (const row of log.split("\n")) if (row !== "") latencies.record(Number(row.slice(row.lastIndexOf("\t") + 1)) / usPerMs);
  return latencies.summary();
}
