import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Clock, type Connection, type Listener, type Network, NetworkError } from "../ports.ts";
import { ConnectionRecorder } from "./connection-recorder.ts";

export interface NetworkFixture {
  /** The end that listens, and the host it does so on. */
  readonly server: Network;
  readonly host: string;
  /** The end that connects; may be the same. */
  readonly client: Network;
  readonly clock: Clock;
  /** A host that is neither known nor ever will be. */
  readonly unknownHost: string;
  /** A host that is not the server's. */
  readonly foreignHost: string;
  /** Lets the network work while `body` runs: a simulated one needs its simulation to be driven. */
  run(body: () => Promise<void>): Promise<void>;
  /** Called once, after the last test. */
  close(): Promise<void>;
}

/** Both ends of a connection. */
interface Pair {
  readonly here: Connection;
  readonly there: Connection;
  readonly hereSees: ConnectionRecorder;
  readonly thereSees: ConnectionRecorder;
}

const connectTimeoutMs = 2_000;
const text = (bytes: string): Uint8Array => new TextEncoder().encode(bytes);

/** What every Network promises. */
export function describeNetwork(name: string, makeFixture: () => Promise<NetworkFixture>): void {
  describe(`Network: ${name}`, () => {
    let fixture: NetworkFixture;
    const pause = (ms: number): Promise<void> => new Promise((resolve) => void fixture.clock.setTimer(ms, resolve));

    beforeAll(async () => {
      fixture = await makeFixture();
    });
    afterAll(() => fixture.close());

    const connectTo = (listener: Listener): Promise<Connection> =>
      fixture.client.connect({ host: fixture.host, port: listener.address.port }, connectTimeoutMs);

    /** A test with a connected pair; both ends are destroyed after it. `body` may return who listens there in the end. */
    const withPair = (title: string, body: (pair: Pair, listener: Listener) => Promise<ConnectionRecorder | void>): void =>
      test(title, () =>
        fixture.run(async () => {
          let accept: (accepted: { readonly there: Connection; readonly thereSees: ConnectionRecorder }) => void = () => {};
          const accepted = new Promise<{ readonly there: Connection; readonly thereSees: ConnectionRecorder }>((resolve) => {
            accept = resolve;
          });
          const listener = await fixture.server.listen({ host: fixture.host, port: 0 }, (there) =>
            accept({ there, thereSees: new ConnectionRecorder(there) }),
          );
          const here = await connectTo(listener);
          const hereSees = new ConnectionRecorder(here);
          const { there, thereSees } = await accepted;
          const lastThere = (await body({ here, there, hereSees, thereSees }, listener)) ?? thereSees;
          here.destroy();
          there.destroy();
          await Promise.all([hereSees.untilClosed(), lastThere.untilClosed(), listener.close()]);
          expect([hereSees.closes.length, lastThere.closes.length]).toEqual([1, 1]);
        }),
      );

    withPair(
      "bytes go both ways in order, and both ends know each other's address",
      async ({ here, there, hereSees, thereSees }, listener) => {
        for (const part of ["one ", "two ", "three"]) here.write(text(part));
        there.write(text("four"));
        await Promise.all([thereSees.untilText("one two three"), hereSees.untilText("four")]);
        expect(here.remoteAddress.endsWith(`:${listener.address.port}`)).toBe(true);
        expect(there.remoteAddress).toMatch(/^.+:\d+$/);
      },
    );

    withPair(
      "an end that has ended gets no more, and the other end gets everything before it hears of it",
      async ({ here, hereSees, thereSees }) => {
        here.write(new Uint8Array(300_000).fill(7));
        here.write(text("the last"));
        here.end();
        here.write(text("too late"));
        await Promise.all([thereSees.untilClosed(), hereSees.untilClosed()]);
        expect(thereSees.bytesTotal).toBe(300_008);
        expect([hereSees.closes, thereSees.closes]).toEqual([[null], [null]]);
      },
    );

    withPair("the end that destroys hears of it once and the other end is closed too", async ({ here, hereSees, thereSees }) => {
      here.destroy();
      here.destroy();
      expect(hereSees.closes).toEqual([]);
      here.write(text("too late"));
      here.end();
      await Promise.all([thereSees.untilClosed(), hereSees.untilClosed()]);
      expect(hereSees.closes).toEqual([null]);
      await pause(20);
      expect(thereSees.bytesTotal).toBe(0);
    });

    withPair("a writer that obeys never has much waiting, and all bytes arrive in order", async ({ here, there, hereSees, thereSees }) => {
      const totalBytes = 8_000_000;
      const chunk = (start: number): Uint8Array => Uint8Array.from({ length: 50_000 }, (_, position) => (start + position) % 251);
      let refusals = 0;
      there.pause();
      for (let sent = 0; sent < totalBytes; sent += 50_000) {
        if (here.write(chunk(sent))) continue;
        refusals++;
        if (refusals === 1) {
          await pause(20);
          expect(thereSees.bytesTotal).toBe(0);
          there.resume();
        }
        const drains = hereSees.drainsTotal;
        await hereSees.until(() => hereSees.drainsTotal > drains);
      }
      await thereSees.until(() => thereSees.bytesTotal >= totalBytes);
      expect(refusals).toBeGreaterThan(0);
      const bytes = thereSees.bytes;
      const wrongAt = bytes.findIndex((byte, position) => byte !== position % 251);
      expect([bytes.length, wrongAt]).toEqual([totalBytes, -1]);
    });

    withPair("a paused end gets nothing until it goes on", async ({ here, there, thereSees }) => {
      there.pause();
      here.write(text("wait"));
      await pause(20);
      expect(thereSees.bytesTotal).toBe(0);
      there.resume();
      await thereSees.untilText("wait");
    });

    withPair("a connection that is handed on goes on with its new owner", async ({ here, there, thereSees }) => {
      here.write(text("first"));
      await thereSees.untilText("first");
      const next = new ConnectionRecorder(there);
      here.write(text("second"));
      await next.untilText("second");
      here.end();
      await next.untilClosed();
      expect([thereSees.text, thereSees.closes]).toEqual(["first", []]);
      return next;
    });

    withPair("connections outlive the listener", async ({ here, thereSees }, listener) => {
      await listener.close();
      await listener.close();
      await expect(connectTo(listener)).rejects.toMatchObject({ name: "NetworkError", code: "refused" });
      here.write(text("still here"));
      await thereSees.untilText("still here");
    });

    test("an address is listened on once", () =>
      fixture.run(async () => {
        const listener = await fixture.server.listen({ host: fixture.host, port: 0 }, (connection) => connection.destroy());
        const { port } = listener.address;
        const second = fixture.server.listen({ host: fixture.host, port }, () => {});
        await expect(second).rejects.toThrow(NetworkError);
        await expect(second).rejects.toMatchObject({ code: "address-in-use" });
        await expect(second).rejects.toThrow(`${fixture.host}:${port}`);
        await listener.close();
        await (await fixture.server.listen({ host: fixture.host, port }, () => {})).close();
      }));

    test("addresses that can't be are refused with their code", () =>
      fixture.run(async () => {
        const foreign = fixture.server.listen({ host: fixture.foreignHost, port: 0 }, () => {});
        await expect(foreign).rejects.toMatchObject({ name: "NetworkError", code: "address-not-available" });
        const unknown = fixture.client.connect({ host: fixture.unknownHost, port: 80 }, connectTimeoutMs);
        await expect(unknown).rejects.toMatchObject({ name: "NetworkError", code: "unknown-host" });
        await expect(unknown).rejects.toThrow(fixture.unknownHost);
      }));
  });
}
