import type { ProgramOutput } from "../program.ts";
import { findEtcd, raftkvSystem, type System } from "./system.ts";

/** RaftKV, and etcd if it is wanted and there. Throws if RaftKV does not run. */
export async function comparedSystems(withEtcd: boolean, output: ProgramOutput): Promise<readonly System[]> {
  const etcd = withEtcd ? await findEtcd() : null;
  if (withEtcd && etcd === null) output.progress("there is no etcd on the PATH: RaftKV is measured alone");
  return [await raftkvSystem(), ...(etcd === null ? [] : [etcd])];
}
