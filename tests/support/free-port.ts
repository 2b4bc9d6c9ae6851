import { createServer } from "node:net";

/** Below the range from which the system takes the ports of outgoing connections, so that a member finds its port again. */
const firstPort = 10_000;
const portCount = 20_000;

let next = (process.pid * 101) % portCount;

/** Consecutive ports on 127.0.0.1 that nobody listens on at this moment, given to nobody else by this process. */
export async function freePorts(count: number): Promise<readonly number[]> {
  for (let attempt = 0; attempt < portCount / count; attempt++) {
    if (next + count > portCount) next = 0;
    const ports = Array.from({ length: count }, (_, at) => firstPort + next + at);
    next += count;
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return ports;
  }
  throw new Error(`There are no ${count} free ports in a row`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
