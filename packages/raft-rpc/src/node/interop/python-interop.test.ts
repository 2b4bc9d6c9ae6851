import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { interopCases } from "./interop-cases.ts";
import type { InteropClient } from "./interop-client.ts";
import { type InteropServer, openOurClient, openOurServer } from "./interop-link.ts";
import { InteropCertificates, type InteropTrust, interopLinks, missingForLink } from "./interop-trust.ts";
import { findPythonWithGrpc, openPythonServer, PythonInteropClient } from "./python-peer.ts";

const python = findPythonWithGrpc();
const noPython = python === null ? "no Python has grpc (Debian package python3-grpcio)" : null;
const certificates = new InteropCertificates();
afterAll(() => certificates.remove());

interface Side {
  readonly title: string;
  openServer(trust: InteropTrust | null): Promise<InteropServer>;
  openClient(port: number, trust: InteropTrust | null): InteropClient;
}

const sides: readonly Side[] = [
  {
    title: "Python as client of our server",
    openServer: openOurServer,
    openClient: (port, trust) => new PythonInteropClient(python ?? "", port, trust),
  },
  {
    title: "our client and Python as server",
    openServer: (trust) => openPythonServer(python ?? "", trust),
    openClient: openOurClient,
  },
];

describe.each(sides)("$title", ({ openServer, openClient }) => {
  describe.each(interopLinks)("%s", (link) => {
    const missing = noPython ?? missingForLink(link);
    let server: InteropServer;
    let client: InteropClient;

    beforeAll(async () => {
      if (missing !== null) return;
      server = await openServer(certificates.trust(link));
      client = openClient(server.port, certificates.trust(link));
    });

    afterAll(async () => {
      await client?.close();
      await server?.close();
    });

    for (const { title, run } of interopCases) {
      test(title, async (context) => {
        if (missing !== null) context.skip(missing);
        await expect(run(client)).resolves.toBeUndefined();
      });
    }
  });
});
