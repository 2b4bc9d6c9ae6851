import { join } from "node:path";

/** Room for everything that a benchmark writes: both systems keep all versions of a key. */
const quotaBytes = 8 * 2 ** 30;

/** One member of a cluster that is to be started. */
export interface MemberPlan {
  readonly name: string;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly dataDirectory: string;
  readonly logFile: string;
}

/** Members `m1`, `m2`, … with their data and their output under `directory`; two ports for each, in order. Throws RangeError. */
export function planMembers(directory: string, ports: readonly number[]): readonly MemberPlan[] {
  if (ports.length === 0 || ports.length % 2 !== 0) throw new RangeError(`${ports.length} ports do not give members two each`);
  return Array.from({ length: ports.length / 2 }, (_, place) => {
    const name = `m${place + 1}`;
    return {
      name,
      clientPort: ports[2 * place] ?? 0,
      peerPort: ports[2 * place + 1] ?? 0,
      dataDirectory: join(directory, name),
      logFile: join(directory, `${name}.log`),
    };
  });
}

/** etcd's flags, which both systems take: the same addresses, times and snapshot count for both. */
export function memberFlags(member: MemberPlan, members: readonly MemberPlan[]): readonly string[] {
  const clientUrl = `http://127.0.0.1:${member.clientPort}`;
  const peerUrl = `http://127.0.0.1:${member.peerPort}`;
  const founders = members.map(({ name, peerPort }) => `${name}=http://127.0.0.1:${peerPort}`).join(",");
  return [
    ["--name", member.name],
    ["--data-dir", member.dataDirectory],
    ["--listen-client-urls", clientUrl],
    ["--advertise-client-urls", clientUrl],
    ["--listen-peer-urls", peerUrl],
    ["--initial-advertise-peer-urls", peerUrl],
    ["--initial-cluster", founders],
    ["--initial-cluster-token", "raftkv-bench"],
    ["--initial-cluster-state", "new"],
    ["--heartbeat-interval", "100"],
    ["--election-timeout", "1000"],
    ["--snapshot-count", "100000"],
    ["--quota-backend-bytes", String(quotaBytes)],
    ["--log-level", "error"],
  ].flat();
}
