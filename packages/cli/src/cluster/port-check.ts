import { createServer } from "node:net";
import { exitCode } from "../exit-code.ts";
import { ProgramError } from "../terminal.ts";
import type { MemberPlan } from "./port-plan.ts";

/** Throws ProgramError that names the first port that somebody else uses. */
export async function checkPorts(members: readonly MemberPlan[]): Promise<void> {
  for (const { name, clientPort, peerPort } of members) {
    await checkPort(clientPort, `client port of ${name}`, "--client-port");
    await checkPort(peerPort, `peer port of ${name}`, "--peer-port");
  }
}

async function checkPort(port: number, role: string, flag: string): Promise<void> {
  const code = await new Promise<string | null>((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host: "127.0.0.1", port }, () => server.close(() => resolve(null)));
  });
  if (code === null) return;
  const problem = code === "EADDRINUSE" ? "is in use" : `cannot be used (${code})`;
  throw new ProgramError(
    exitCode.error,
    `Port ${port}, the ${role}, ${problem}: end the program that uses it or choose other ports with ${flag}`,
  );
}
