import { constants } from "node:fs";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { type DirectoryLock, DiskError } from "@raftkv/raft-node";
import { diskError, onDisk, systemCode } from "./disk-error.ts";

/** The unix socket in a locked directory. */
export const lockName = "LOCK.sock";

/** Longest path of a unix socket: 108 bytes with the final zero on Linux, 104 elsewhere. */
const socketPathBytesMax = process.platform === "linux" ? 107 : 103;
/** A holder that is alive says who it is within this time; one that is stopped can't. */
const answerMs = 200;
const answerBytesMax = 256;

/**
 * Takes the directory for this process. Node has no `flock`, so two sockets do: they are gone when the process is, however it ends.
 *
 *     1  bind the abstract socket \0raftkv-<device>-<inode>     Linux only; in use: refused
 *     2  connect to LOCK.sock                                   somebody accepts: refused; nobody does: left over, removed
 *     3  bind LOCK.sock                                         also seen from other network namespaces
 *
 * Rejects with DiskError, code `locked`, naming the process that holds it if that one answers.
 */
export async function takeDirectoryLock(directory: string): Promise<DirectoryLock> {
  const handle = await onDisk("open", directory, open(directory, constants.O_RDONLY | constants.O_DIRECTORY));
  const closers: (() => Promise<void>)[] = [() => handle.close()];
  const release = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  };
  try {
    const path = socketPath(directory, handle);
    if (process.platform === "linux") {
      const { dev, ino } = await handle.stat({ bigint: true });
      closers.push(await listen(`\0raftkv-${dev}-${ino}`, directory, path));
    }
    const holder = await findHolder(path);
    if (holder !== null) throw locked(directory, holder);
    closers.push(await listen(path, directory, path));
    await checkBound(directory, path);
  } catch (reason) {
    await release();
    throw diskError(reason, "lock", directory);
  }
  return { release };
}

/** A path that is too long for a socket leads through the descriptor of the directory. */
function socketPath(directory: string, handle: FileHandle): string {
  const path = `${directory}/${lockName}`;
  if (Buffer.byteLength(path) <= socketPathBytesMax) return path;
  if (process.platform === "linux") return `/proc/self/fd/${handle.fd}/${lockName}`;
  throw new DiskError("io", directory, `Path ${path} is longer than the ${socketPathBytesMax} bytes that a socket may have`);
}

/** Listens at `path`; returns how to stop. Whoever connects is told who we are. */
async function listen(path: string, directory: string, askPath: string): Promise<() => Promise<void>> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.end(`process ${process.pid}, since ${since}`, () => socket.destroy());
  });
  const since = new Date().toISOString();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ path }, resolve);
    });
  } catch (reason) {
    if (systemCode(reason) === "EADDRINUSE") throw locked(directory, (await findHolder(askPath)) ?? "another process");
    throw reason;
  }
  server.unref();
  return () => closed(server);
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** Who accepts at `path`; null if nobody does, and then the name is free. */
async function findHolder(path: string): Promise<string | null> {
  const answer = await ask(path);
  if (answer.kind === "holder") return answer.name;
  if (answer.kind === "left over") {
    await unlink(path).catch((reason: unknown) => {
      if (systemCode(reason) !== "ENOENT") throw reason;
    });
  }
  return null;
}

type Answer = { readonly kind: "nothing" | "left over" } | { readonly kind: "holder"; readonly name: string };

function ask(path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    let said = "";
    const finish = (): void => {
      socket.destroy();
      resolve({ kind: "holder", name: said === "" ? "another process" : said.slice(0, answerBytesMax) });
    };
    socket.setEncoding("latin1");
    socket.setTimeout(answerMs, finish);
    socket.on("data", (text: string) => {
      said += text;
      if (said.length >= answerBytesMax) finish();
    });
    socket.on("end", finish);
    socket.on("error", (reason) => {
      socket.destroy();
      const code = systemCode(reason);
      if (code === "ENOENT") resolve({ kind: "nothing" });
      else if (code === "ECONNREFUSED") resolve({ kind: "left over" });
      // Its backlog is full: it lives, but is stopped.
      else if (code === "EAGAIN") resolve({ kind: "holder", name: "another process" });
      else reject(reason);
    });
  });
}

/** Where there are no abstract sockets, two starts at the same moment may both remove what was left over: the later one wins. */
async function checkBound(directory: string, path: string): Promise<void> {
  const holder = await ask(path);
  if (holder.kind !== "holder") throw locked(directory, "another process");
  if (!holder.name.startsWith(`process ${process.pid},`)) throw locked(directory, holder.name);
}

function locked(directory: string, holder: string): DiskError {
  return new DiskError("locked", directory, `Directory ${directory} is in use by ${holder}`);
}
