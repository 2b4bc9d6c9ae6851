import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export type SystemName = "raftkv" | "etcd";

/** A program of which a cluster is started. */
export interface System {
  readonly name: SystemName;
  readonly version: string;
  readonly program: string;
  /** The command line of a member: what stands before etcd's flags and after them. */
  readonly memberArguments: (memberName: string, flags: readonly string[]) => readonly string[];
}

const raftkvProgram = fileURLToPath(new URL("../../../cli/bin/raftkv.js", import.meta.url));
const runFile = promisify(execFile);

/** RaftKV of this source tree, built. `nodeFlags`: flags of Node.js for a member, by its name. Throws if it does not run. */
export async function raftkvSystem(nodeFlags: (memberName: string) => readonly string[] = () => []): Promise<System> {
  const program = process.execPath;
  const { stdout } = await runFile(program, [raftkvProgram, "server", "--version"], { env: memberEnvironment(process.env) });
  return {
    name: "raftkv",
    version: firstLine(stdout),
    program,
    memberArguments: (memberName, flags) => [...nodeFlags(memberName), raftkvProgram, "server", ...flags],
  };
}

/** The `etcd` on the PATH, or null if there is none. */
export async function findEtcd(): Promise<System | null> {
  try {
    const { stdout } = await runFile("etcd", ["--version"], { env: memberEnvironment(process.env) });
    // The v2 API is off in later versions anyway; zap is their only logger, and the one that knows levels here.
    const own = ["--enable-v2=false", "--logger=zap", "--log-outputs=stderr"];
    return { name: "etcd", version: firstLine(stdout), program: "etcd", memberArguments: (_, flags) => [...flags, ...own] };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

/** Without what would configure one member or the other beside its flags. */
export function memberEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const foreign = /^(ETCD_|RAFTKV_|NODE_OPTIONS$|NODE_V8_COVERAGE$|GO)/;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !foreign.test(name)));
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
