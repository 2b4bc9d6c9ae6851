import { createServer } from "node:net";
import { expect, test } from "vitest";
import { checkPorts } from "./port-check.ts";
import { planMembers } from "./port-plan.ts";

test("a port in use is named, with whose it would be and the flag that changes it", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  try {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("A TCP server has a port");
    const { port } = address;
    const members = planMembers({ nodes: 1, clientPort: port, peerPort: 1, dataDir: "data" });
    await expect(checkPorts(members)).rejects.toMatchObject({
      exitStatus: 1,
      message: `Port ${port}, the client port of n1, is in use: end the program that uses it or choose other ports with --client-port`,
    });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});
