import { type AddressInfo, createServer, type Server } from "node:net";

const host = "127.0.0.1";

/**
 * Ports that nobody listens on now. All are held until the last is known, so that they differ; another program may still take one before it is
 * used, which a member then reports.
 */
export async function findFreePorts(count: number): Promise<readonly number[]> {
  const servers: Server[] = [];
  try {
    for (let held = 0; held < count; held++) servers.push(await listen());
    return servers.map((server) => (server.address() as AddressInfo).port);
  } finally {
    await Promise.all(servers.map(close));
  }
}

function listen(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, host, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
