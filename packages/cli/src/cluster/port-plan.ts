import { join } from "node:path";
import { exitCode } from "../exit-code.ts";
import { ProgramError } from "../terminal.ts";

export const nodesMax = 9;
export const defaultClientPort = 2379;
export const defaultPeerPort = 2380;

/** From the first member's port, as etcd's local examples have them: 2379, 22379, 32379, and on in the same way. */
const spreadOffsets: readonly number[] = [0, 20_000, 30_000, 40_000, 50_000, 60_000, 10_000, 100, 200];
/** From a port of the user's own: P, P+2, P+4, so that client ports P and peer ports P+1 go together. */
const ownPortStep = 2;

export interface ClusterOptions {
  readonly nodes: number;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly dataDir: string;
}

/** One member of a cluster on this machine. */
export interface MemberPlan {
  readonly name: string;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly clientUrl: string;
  readonly peerUrl: string;
  readonly directory: string;
  readonly logFile: string;
}

/** Names n1 to nN, their ports and folders. Throws ProgramError if the ports do not fit or collide. */
export function planMembers(options: ClusterOptions): readonly MemberPlan[] {
  const members = Array.from({ length: options.nodes }, (_, place): MemberPlan => {
    const name = `n${place + 1}`;
    const clientPort = memberPort(options.clientPort, place, defaultClientPort, "--client-port");
    const peerPort = memberPort(options.peerPort, place, defaultPeerPort, "--peer-port");
    return {
      name,
      clientPort,
      peerPort,
      clientUrl: `http://127.0.0.1:${clientPort}`,
      peerUrl: `http://127.0.0.1:${peerPort}`,
      directory: join(options.dataDir, name),
      logFile: join(options.dataDir, `${name}.log`),
    };
  });
  const owners = new Map<number, string>();
  for (const { name, clientPort, peerPort } of members) {
    for (const port of [clientPort, peerPort]) {
      const owner = owners.get(port);
      if (owner !== undefined) {
        throw new ProgramError(exitCode.usage, `Port ${port} would be used by ${owner} and ${name}, change --client-port or --peer-port`);
      }
      owners.set(port, name);
    }
  }
  return members;
}

function memberPort(base: number, place: number, defaultBase: number, flag: string): number {
  const port = base === defaultBase ? base + (spreadOffsets[place] ?? 0) : base + ownPortStep * place;
  if (port > 65_535)
    throw new ProgramError(exitCode.usage, `Member n${place + 1} would get port ${port}, give a lower ${flag} than ${base}`);
  return port;
}

/** Arguments of `raftkv server` for one member. */
export function memberArguments(member: MemberPlan, members: readonly MemberPlan[]): readonly string[] {
  return [
    ["--name", member.name],
    ["--data-dir", member.directory],
    ["--listen-client-urls", member.clientUrl],
    ["--advertise-client-urls", member.clientUrl],
    ["--listen-peer-urls", member.peerUrl],
    ["--initial-advertise-peer-urls", member.peerUrl],
    ["--initial-cluster", members.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join()],
    ["--initial-cluster-token", "raftkv-cluster"],
    ["--initial-cluster-state", "new"],
  ].flat();
}

/** The environment of a member: without the variables that would contradict its arguments. */
export function memberEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  args: readonly string[],
): Record<string, string | undefined> {
  const contradicting = new Set(
    args.filter((argument) => argument.startsWith("--")).map((flag) => `ETCD_${flag.slice(2).toUpperCase().replaceAll("-", "_")}`),
  );
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !contradicting.has(name)));
}
