import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { interopCases } from "./interop-cases.ts";
import type { InteropClient } from "./interop-client.ts";
import type { InteropServer } from "./interop-link.ts";
import { InteropCertificates, type InteropTrust, interopLinks, missingForLink } from "./interop-trust.ts";

/** A client of one implementation on a server of the same or another. */
export interface InteropPair {
  readonly title: string;
  openServer(trust: InteropTrust | null): Promise<InteropServer>;
  openClient(port: number, trust: InteropTrust | null): InteropClient;
}

/** Runs every case with every pair over every link. `missing`: why none can run here, or null. */
export function describeInterop(pairs: readonly InteropPair[], missing: string | null = null): void {
  const certificates = new InteropCertificates();
  afterAll(() => certificates.remove());

  describe.each(pairs)("$title", (pair) => {
    describe.each(interopLinks)("%s", (link) => {
      const reason = missing ?? missingForLink(link);
      let server: InteropServer;
      let client: InteropClient;

      beforeAll(async () => {
        if (reason !== null) return;
        server = await pair.openServer(certificates.trust(link));
        client = pair.openClient(server.port, certificates.trust(link));
      });

      afterAll(async () => {
        await client?.close();
        await server?.close();
      });

      for (const interopCase of interopCases) {
        test(interopCase.title, async (context) => {
          if (reason !== null) context.skip(reason);
          await expect(interopCase.run(client)).resolves.toBeUndefined();
        });
      }
    });
  });
}
