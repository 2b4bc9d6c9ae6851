import { LogStoreError } from "@raftkv/log-store";
import { DiskError, EntriesLostError, type Logger, NetworkError, type Ports, rehearseElections } from "@raftkv/raft-node";
import { ConfigError } from "./config/config-error.ts";
import { type MemberConfig, memberConfig } from "./config/member-config.ts";
import { readOptions, unknownVariables } from "./config/option-source.ts";
import { environmentName, serverOptions } from "./config/options.ts";
import { createMemberEndpoints } from "./http/member-endpoints.ts";
import { Member } from "./member.ts";
import { nodePorts } from "./ports/index.ts";
import { setV8Flags } from "./v8-flags.ts";
import { etcdVersion, raftkvVersion } from "./version.ts";

/** Stopped as it was asked to. */
const exitOk = 0;
/** Could not start: the configuration, the directory or a port. */
const exitRefused = 1;
/** A write or sync failed, or there was no space: nothing that was not durable has been acknowledged. */
const exitStorageFailed = 3;
/** A mistake of ours: an assertion or an exception that nobody caught (sysexits' EX_SOFTWARE). */
const exitInternalError = 70;

/** A member that has not closed by then waits for a disk that hangs. Its calls may take 2 s to end, and to hand leadership on may take an election. */
const stopMs = 20_000;

type Environment = Readonly<Record<string, string | undefined>>;

/** Runs a member in this process until a signal or a failure ends it. Resolves with the exit code. */
export async function runServer(args: readonly string[], environment: Environment): Promise<number> {
  if (args.some((argument) => /^--?(help|h)$/.test(argument))) return print(serverHelp());
  if (args.some((argument) => /^--?version$/.test(argument))) return print(`${serverVersion}\n`);
  let config: MemberConfig;
  try {
    config = memberConfig(readOptions(args, environment));
  } catch (error) {
    return refuse(error);
  }
  // Files of a member are nobody else's business.
  process.umask(0o077);
  setV8Flags();
  const ports = nodePorts({ logLevel: config.logLevel });
  for (const name of unknownVariables(environment)) ports.logger.warn("unrecognized environment variable", { name });

  rehearseElections();
  const end = endOfProcess(ports.logger);
  let member: Member;
  try {
    member = await startMember(config, ports, end.fail);
  } catch (error) {
    end.dispose();
    return refuse(error);
  }
  const { code, signal } = await end.cause;
  const stopping = stopInTime(member, ports);
  // The member's first step first: others wait for it.
  if (signal !== null) ports.clock.atEndOfTurn(() => ports.logger.info("received signal; shutting down", { signal }));
  const stopped = await stopping;
  end.dispose();
  return stopped || code !== exitOk ? code : exitStorageFailed;
}

export const serverVersion = `raftkv ${raftkvVersion} (etcd API ${etcdVersion})`;

/** What `raftkv server --help` prints. */
export function serverHelp(): string {
  const rows = serverOptions.map(
    ({ flag, default: value, help }) =>
      `  --${flag.padEnd(28)} ${help}\n  ${"".padEnd(30)} default ${value}, variable ${environmentName(flag)}\n`,
  );
  return `Usage: raftkv server [options]\n\nRuns one member of a RaftKV cluster. The options are etcd's.\n\n${rows.join("")}`;
}

function startMember(config: MemberConfig, ports: Ports, onFatal: (error: Error) => void): Promise<Member> {
  return Member.start({ config, ports, onFatal, otherProtocol: (member) => createMemberEndpoints(member, config.clientPort) });
}

interface EndCause {
  readonly code: number;
  readonly signal: NodeJS.Signals | null;
}

/** The first of: SIGTERM, SIGINT, a failure of the member. */
function endOfProcess(logger: Logger): {
  readonly cause: Promise<EndCause>;
  readonly fail: (error: Error) => void;
  readonly dispose: () => void;
} {
  let settle: (cause: EndCause) => void = () => {};
  const cause = new Promise<EndCause>((resolve) => {
    settle = resolve;
  });
  const onSignal = (signal: NodeJS.Signals): void => {
    settle({ code: exitOk, signal });
  };
  const fail = (error: Error): void => {
    complain(error);
    settle({ code: error instanceof LogStoreError ? exitStorageFailed : exitInternalError, signal: null });
  };
  const onUncaught = (error: Error): void => {
    logger.error("uncaught exception", { error, stack: error.stack });
    process.exit(exitInternalError);
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  process.on("uncaughtException", onUncaught);
  return {
    cause,
    fail,
    dispose: () => {
      process.off("SIGTERM", onSignal);
      process.off("SIGINT", onSignal);
      process.off("uncaughtException", onUncaught);
    },
  };
}

/** False if the member did not close cleanly. One that does not close in time is killed. What was acknowledged is durable all the same. */
function stopInTime(member: Member, { clock, logger }: Ports): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(stopMs, () => {
      logger.error("the member did not close in time: its disk hangs, and it ends without it", { stopMs });
      // An exit would wait for the calls that hang.
      process.kill(process.pid, "SIGKILL");
    });
    member.close().then(
      () => {
        timer.cancel();
        resolve(true);
      },
      (error: unknown) => {
        timer.cancel();
        logger.error("the member did not close cleanly", { error });
        resolve(false);
      },
    );
  });
}

function refuse(error: unknown): number {
  complain(error);
  return isStorageFailure(error) ? exitStorageFailed : exitRefused;
}

/** The disk let us down; another start may do better, where a directory that is not ours stays what it is. */
function isStorageFailure(error: unknown): boolean {
  const cause = error instanceof LogStoreError ? error.cause : error;
  return cause instanceof DiskError && (cause.code === "io" || cause.code === "no-space");
}

const expectedErrors = [ConfigError, DiskError, EntriesLostError, LogStoreError, NetworkError];

/** One sentence for what a person can mend; a stack for what is our mistake. */
function complain(error: unknown): void {
  const isExpected = expectedErrors.some((kind) => error instanceof kind);
  const text = error instanceof Error ? (isExpected ? error.message : (error.stack ?? error.message)) : String(error);
  process.stderr.write(`raftkv: ${text}\n`);
}

function print(text: string): number {
  process.stdout.write(text);
  return exitOk;
}
