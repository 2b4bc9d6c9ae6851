import { createServer, type Server } from "node:net";

/** Below the range from which the system takes the ports of outgoing connections, so that a member finds its port again. */
const firstPort = 10_000;
const blockSize = 200;
const blockCount = 100;

/** The ports of this process that are still to be given away. */
let block: readonly number[] = [];

/** Consecutive ports on 127.0.0.1 that nobody listens on at this moment, and that no other process gets from here while this one runs. */
export async function freePorts(count: number): Promise<readonly number[]> {
  for (let attempt = 0; attempt < blockCount * blockSize; attempt += count) {
    if (block.length < count) block = await reserveBlock();
    const ports = block.slice(0, count);
    block = block.slice(count);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return ports;
  }
  throw new Error(`There are no ${count} free ports in a row`);
}

/** The first port of a block is listened on until this process ends, which tells others that the rest is taken. */
async function reserveBlock(): Promise<readonly number[]> {
  const start = process.pid % blockCount;
  for (let turn = 0; turn < blockCount; turn++) {
    const [guard = 0, ...ports] = Array.from({ length: blockSize }, (_, at) => firstPort + ((start + turn) % blockCount) * blockSize + at);
    const server = await listenOn(guard);
    if (server === null) continue;
    server.unref();
    return ports;
  }
  throw new Error(`All ${blockCount} blocks of ports are taken`);
}

async function isFree(port: number): Promise<boolean> {
  const server = await listenOn(port);
  if (server === null) return false;
  await new Promise((resolve) => server.close(resolve));
  return true;
}

/** Null if somebody listens there. */
function listenOn(port: number): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", () => resolve(null));
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
