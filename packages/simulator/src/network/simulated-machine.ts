import { type Address, type Connection, NetworkError } from "@raftkv/raft-node";
import type { Life } from "../timeline/life.ts";
import type { Timeline } from "../timeline/timeline.ts";
import { BytePipe } from "./byte-pipe.ts";
import type { Link } from "./link.ts";
import { SimulatedConnection } from "./simulated-connection.ts";

/** Connections that the kernel has accepted and the process has not (Node's default backlog). */
const backlogMax = 511;
const ephemeralPortMin = 32_768;
const ephemeralPortMax = 60_999;

const loopbackHosts: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "::1"]);
const wildcardHosts: ReadonlySet<string> = new Set(["0.0.0.0", "::", ""]);

interface Listening {
  /** The host that was asked, made comparable; `*`: every host of the machine. */
  readonly host: string;
  readonly port: number;
  readonly life: Life;
  readonly onConnection: (connection: Connection) => void;
  backlog: number;
}

/** Both directions between the machine that connects and the one that accepts. */
export interface LinkPair {
  readonly there: Link;
  readonly back: Link;
}

export type HandshakeAnswer =
  | { readonly kind: "refused" }
  | { readonly kind: "silent" }
  /** `client` is made, but not known to its process yet; `forget` takes it back. */
  | { readonly kind: "accepted"; readonly client: SimulatedConnection; open(): void; forget(): void };

/** The network half of a machine's kernel: it goes on while the process is paused, and cleans up when it has crashed. */
export class SimulatedMachine {
  readonly name: string;
  readonly #timeline: Timeline;
  readonly #hosts: readonly string[];
  readonly #listening = new Set<Listening>();
  readonly #connections = new Set<SimulatedConnection>();
  #life: Life | null = null;
  #isOn = true;
  #nextPort = ephemeralPortMin;
  readonly #onSwitched: () => void;

  constructor(timeline: Timeline, name: string, hosts: readonly string[], onSwitched: () => void) {
    this.#timeline = timeline;
    this.name = name;
    this.#hosts = hosts;
    this.#onSwitched = onSwitched;
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  get connections(): readonly SimulatedConnection[] {
    return [...this.#connections];
  }

  start(life: Life): void {
    this.#life = life;
    if (this.#isOn) return;
    this.#isOn = true;
    this.#onSwitched();
  }

  /** The process is gone: the kernel closes what it had open. */
  closeAll(): void {
    this.#life = null;
    this.#listening.clear();
    for (const connection of this.connections) connection.abandon();
    this.#connections.clear();
  }

  switchOff(): void {
    this.#life = null;
    this.#isOn = false;
    this.#listening.clear();
    for (const connection of this.connections) connection.vanish();
    this.#connections.clear();
  }

  /** Starts to listen; returns the bound port and how to stop. Throws NetworkError. */
  listen(
    life: Life,
    address: Address,
    onConnection: (connection: Connection) => void,
  ): { readonly port: number; readonly stop: () => void } {
    const host = this.#comparable(address.host);
    const name = `${address.host}:${address.port}`;
    if (host === null) throw new NetworkError("address-not-available", `Address ${name} is not one of ${this.name}`);
    const port = address.port === 0 ? this.#freePort() : address.port;
    for (const other of this.#listening) {
      const isSameHost = other.host === host || other.host === "*" || host === "*";
      if (other.port === port && isSameHost) throw new NetworkError("address-in-use", `Address ${name} is in use`);
    }
    const listening: Listening = { host, port, life, onConnection, backlog: 0 };
    this.#listening.add(listening);
    return { port, stop: () => void this.#listening.delete(listening) };
  }

  /** A first segment from `client` has arrived for `address`. */
  answer(client: { readonly machine: SimulatedMachine; readonly life: Life }, address: Address, links: LinkPair): HandshakeAnswer {
    const listening = this.#find(address);
    if (this.#life === null || listening === null) return { kind: "refused" };
    if (listening.backlog >= backlogMax) return { kind: "silent" };
    listening.backlog++;
    const there = new BytePipe(this.#timeline, links.there, links.back);
    const back = new BytePipe(this.#timeline, links.back, links.there);
    let isInBacklog = true;
    const leaveBacklog = (): void => {
      if (isInBacklog) listening.backlog--;
      isInBacklog = false;
    };
    const accepted: SimulatedConnection = new SimulatedConnection(listening.life, {
      remoteAddress: `${client.machine.name}:${client.machine.#freePort()}`,
      remoteMachine: client.machine.name,
      out: back,
      in: there,
      onOpened: () => {
        leaveBacklog();
        if (this.#listening.has(listening)) listening.onConnection(accepted);
        else accepted.abandon();
      },
      onGone: () => {
        leaveBacklog();
        this.#connections.delete(accepted);
      },
    });
    const connecting: SimulatedConnection = new SimulatedConnection(client.life, {
      remoteAddress: `${address.host}:${address.port}`,
      remoteMachine: this.name,
      out: there,
      in: back,
      onOpened: null,
      onGone: () => void client.machine.#connections.delete(connecting),
    });
    this.#connections.add(accepted);
    client.machine.#connections.add(connecting);
    return {
      kind: "accepted",
      client: connecting,
      open: () => there.open(),
      forget: () => {
        leaveBacklog();
        connecting.vanish();
        accepted.vanish();
        this.#connections.delete(accepted);
        client.machine.#connections.delete(connecting);
      },
    };
  }

  #find(address: Address): Listening | null {
    const host = this.#comparable(address.host);
    for (const listening of this.#listening) {
      if (listening.port === address.port && (listening.host === "*" || listening.host === host)) return listening;
    }
    return null;
  }

  /** Names of one interface are equal; null: not this machine's. */
  #comparable(host: string): string | null {
    if (wildcardHosts.has(host)) return "*";
    if (loopbackHosts.has(host)) return "loopback";
    return this.#hosts.includes(host) ? "external" : null;
  }

  #freePort(): number {
    for (let tries = ephemeralPortMin; tries <= ephemeralPortMax; tries++) {
      const port = this.#nextPort;
      this.#nextPort = port === ephemeralPortMax ? ephemeralPortMin : port + 1;
      if (![...this.#listening].some((listening) => listening.port === port)) return port;
    }
    throw new NetworkError("address-not-available", `Machine ${this.name} has no free port`);
  }
}

/** A host that means the machine itself, whichever asks. */
export function isLoopback(host: string): boolean {
  return loopbackHosts.has(host) || wildcardHosts.has(host);
}
