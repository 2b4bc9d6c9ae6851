import type { Timeline } from "../timeline/timeline.ts";
import { Link, type LinkOptions, linkOptionsDefault } from "./link.ts";
import { isLoopback, type LinkPair, SimulatedMachine } from "./simulated-machine.ts";

/** All machines and the links between them, and what can go wrong there. Names are those of the nodes. */
export class SimulatedInternet {
  readonly #timeline: Timeline;
  readonly #machines = new Map<string, SimulatedMachine>();
  readonly #hosts = new Map<string, SimulatedMachine>();
  readonly #links = new Map<string, Link>();
  #options = linkOptionsDefault;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  addMachine(name: string, hosts: readonly string[]): SimulatedMachine {
    const machine = new SimulatedMachine(this.#timeline, name, hosts, () => this.#tellLinksTo(name));
    for (const host of hosts) {
      if (this.#hosts.has(host) || isLoopback(host)) throw new Error(`Host ${host} can't be ${name}'s: it means another machine`);
      this.#hosts.set(host, machine);
    }
    this.#machines.set(name, machine);
    return machine;
  }

  /** The machine that `host` means to `asking`; null if there is none. */
  find(host: string, asking: SimulatedMachine): SimulatedMachine | null {
    return isLoopback(host) ? asking : (this.#hosts.get(host) ?? null);
  }

  linkPair(from: string, to: string): LinkPair {
    return { there: this.#link(from, to), back: this.#link(to, from) };
  }

  /** Changes all links, also those between machines that come later. */
  setLinks(options: Partial<LinkOptions>): void {
    this.#options = { ...this.#options, ...options };
    for (const link of this.#links.values()) link.options = { ...link.options, ...options };
  }

  /** Changes one direction. */
  setLink(from: string, to: string, options: Partial<LinkOptions>): void {
    const link = this.#link(from, to);
    link.options = { ...link.options, ...options };
  }

  /** Nothing passes from one to the other until `heal`; connections stay and wait. One direction only. */
  cut(from: string, to: string): void {
    this.#link(from, to).cut();
    this.#timeline.trace.add(this.#timeline.nowUs, "cut", `${from}>${to}`);
  }

  heal(from: string, to: string): void {
    this.#timeline.trace.add(this.#timeline.nowUs, "heal", `${from}>${to}`);
    this.#link(from, to).heal();
  }

  /** Holds everything from one to the other for a while, then lets it pass. */
  clog(from: string, to: string, durationMs: number): void {
    this.cut(from, to);
    this.#timeline.schedule(Math.ceil(durationMs * 1_000), "unclog", () => this.heal(from, to));
  }

  /** Machines reach those of their own group only; one that is in no group reaches nobody. Links within groups are left alone. */
  partition(groups: readonly (readonly string[])[]): void {
    const groupOf = new Map(groups.flatMap((names, index) => names.map((name) => [name, index] as const)));
    for (const from of this.#machines.keys()) {
      for (const to of this.#machines.keys()) {
        const isTogether = groupOf.has(from) && groupOf.get(from) === groupOf.get(to);
        if (from !== to && !isTogether) this.cut(from, to);
      }
    }
  }

  healAll(): void {
    this.#timeline.trace.add(this.#timeline.nowUs, "heal", "all");
    for (const link of this.#links.values()) link.heal();
  }

  /** Both ends of every connection between two machines fail at once. */
  resetConnections(one: string, other: string): void {
    this.#timeline.trace.add(this.#timeline.nowUs, "reset", `${one}>${other}`);
    for (const [machine, remote] of [[one, other], ...(one === other ? [] : [[other, one]])] as const) {
      for (const connection of this.#machine(machine).connections) {
        if (connection.remoteMachine === remote) connection.fail("ECONNRESET", `The connection to ${connection.remoteAddress} was reset`);
      }
    }
  }

  #link(from: string, to: string): Link {
    const name = `${from}>${to}`;
    const known = this.#links.get(name);
    if (known !== undefined) return known;
    this.#machine(from);
    const target = this.#machine(to);
    const link = new Link(this.#timeline, name, this.#options, () => target.isOn);
    this.#links.set(name, link);
    return link;
  }

  #machine(name: string): SimulatedMachine {
    const machine = this.#machines.get(name);
    if (machine === undefined) throw new Error(`There is no node ${name}`);
    return machine;
  }

  #tellLinksTo(name: string): void {
    for (const link of this.#links.values()) if (link.name.endsWith(`>${name}`)) link.tellIfCarries();
  }
}
