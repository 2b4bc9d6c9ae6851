import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { ClientError, type MemberClient } from "@raftkv/client";
import type { Command } from "commander";
import { ProgramError } from "../../terminal.ts";
import { etcdExit } from "../exit-status.ts";
import { errorText, type Verb } from "../verb.ts";
import { badArguments } from "./key-arguments.ts";
import { askEach } from "./member-endpoints.ts";

const sumBytes = 32;

export const snapshotSaveVerb: Verb<object> = {
  name: "save",
  usage: "<file>",
  summary: "write the state of the member at the one endpoint to a file",
  run: async (call) => {
    const [path = ""] = call.args;
    if (call.args.length !== 1) throw badArguments("snapshot save expects one argument");
    const { endpoints } = call.flags;
    if (endpoints.length > 1) {
      const sentence = `snapshot must be requested to one selected node, not multiple [${endpoints.join(" ")}]`;
      throw new ProgramError(etcdExit.interrupted, sentence);
    }
    const { failures } = await call.withClient((etcd) => askEach(etcd, endpoints, (member) => save(member, path)));
    const [failure] = failures;
    if (failure !== undefined) throw new ProgramError(etcdExit.interrupted, failure.reason);
    call.terminal.writeOut(`Snapshot saved at ${path}\n`);
  },
};

/** Nobody finds half of a file under its name. Rejects with ClientError and ProgramError. */
async function save(member: MemberClient, path: string): Promise<void> {
  const part = `${path}.part`;
  try {
    const file = await open(part, "w", 0o600);
    try {
      for await (const piece of checked(member)) await file.write(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    if (error instanceof ClientError || error instanceof ProgramError) throw error;
    throw new ProgramError(etcdExit.interrupted, `could not write ${path} (${errorText(error)})`, { cause: error });
  }
}

/** The pieces of the file, whose last bytes have to be the SHA-256 of all before them. */
async function* checked(member: MemberClient): AsyncGenerator<Uint8Array> {
  const sum = createHash("sha256");
  let held: Uint8Array = new Uint8Array(0);
  for await (const { blob } of member.snapshot()) {
    yield blob;
    held = Buffer.concat([held, blob]);
    const data = held.subarray(0, Math.max(held.length - sumBytes, 0));
    sum.update(data);
    held = held.subarray(data.length);
  }
  if (!sum.digest().equals(held)) throw new ProgramError(etcdExit.error, "the snapshot was damaged on its way: its SHA-256 is another");
}

export const snapshotStatusVerb: Verb<object> = {
  name: "status",
  usage: "<file>",
  summary: "check a snapshot file, and print what it holds",
  run: async (call) => {
    const [path = ""] = call.args;
    if (call.args.length !== 1) throw badArguments("snapshot status requires exactly one argument");
    call.checkFormat("snapshot-status");
    const { inspectSnapshotFile } = await import("@raftkv/server");
    const { sha256, revision, keyCount, sizeBytes } = await inspectSnapshotFile(contentOf(path));
    const hash = Buffer.from(sha256).readUInt32BE(0);
    call.show({ kind: "snapshot-status", status: { hash, revision, totalKeys: keyCount, totalBytes: sizeBytes } });
  },
};

/** The file is opened when it is read: who refuses before has nothing to close, and an error has somebody to hear it. */
async function* contentOf(path: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(path);
}

interface RestoreOptions {
  readonly name: string;
  readonly dataDir?: string;
  readonly initialCluster: string;
  readonly initialClusterToken: string;
  readonly initialAdvertisePeerUrls: string;
}

export const snapshotRestoreVerb: Verb<RestoreOptions> = {
  name: "restore",
  usage: "[options] <file>",
  summary: "make the data directory of a member of a new cluster, which begins with what a snapshot file holds",
  addOptions: addRestoreOptions,
  run: async (call) => {
    const [path = ""] = call.args;
    if (call.args.length !== 1) throw badArguments("snapshot restore requires exactly one argument");
    const { memberConfig, nodePorts, readOptions, restoreSnapshot } = await import("@raftkv/server");
    const config = memberConfig(readOptions(memberFlags(call.options), {}));
    const summary = await restoreSnapshot({ config, ports: nodePorts({ logLevel: "error" }), file: contentOf(path) });
    call.terminal.writeErr(
      `restored snapshot ${path} to ${config.dataDir}: ${summary.keyCount} keys at revision ${summary.revision}; added member ${config.name}\n`,
    );
  },
};

function addRestoreOptions(command: Command): Command {
  return command
    .option("--name <name>", "of the member", "default")
    .option("--data-dir <path>", "the directory to make (default: NAME.etcd)")
    .option("--initial-cluster <list>", "all members of the new cluster, name=peer-url", "default=http://localhost:2380")
    .option("--initial-cluster-token <token>", "of the new cluster; no cluster that still runs may have the same", "etcd-cluster")
    .option("--initial-advertise-peer-urls <list>", "where the others reach the member", "http://localhost:2380")
    .addHelpText(
      "after",
      "\nMake the directory of every member of the new cluster of the same file, then start them with the same options.",
    );
}

/** As `raftkv server` takes them. */
function memberFlags(options: RestoreOptions): readonly string[] {
  const { name, dataDir, initialCluster, initialClusterToken, initialAdvertisePeerUrls } = options;
  return [
    `--name=${name}`,
    `--initial-cluster=${initialCluster}`,
    `--initial-cluster-token=${initialClusterToken}`,
    `--initial-advertise-peer-urls=${initialAdvertisePeerUrls}`,
    ...(dataDir === undefined ? [] : [`--data-dir=${dataDir}`]),
  ];
}
