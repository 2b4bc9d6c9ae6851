import { type Address, type Connection, type Listener, type Network, NetworkError } from "@raftkv/raft-node";
import type { Life } from "../timeline/life.ts";
import { ConnectAttempt } from "./connect-attempt.ts";
import type { SimulatedInternet } from "./simulated-internet.ts";
import type { SimulatedMachine } from "./simulated-machine.ts";

/** What asking a name server takes. */
const lookupUs = 500;

/** The Network port of one life of a process. */
export class NetworkPort implements Network {
  readonly #life: Life;
  readonly #machine: SimulatedMachine;
  readonly #internet: SimulatedInternet;

  constructor(life: Life, machine: SimulatedMachine, internet: SimulatedInternet) {
    this.#life = life;
    this.#machine = machine;
    this.#internet = internet;
  }

  listen(address: Address, onConnection: (connection: Connection) => void): Promise<Listener> {
    return new Promise((resolve) => {
      this.#life.schedule(0, "listen", () => resolve(this.#listen(address, onConnection)));
    });
  }

  connect(address: Address, timeoutMs: number): Promise<Connection> {
    const target = this.#internet.find(address.host, this.#machine);
    return new Promise((resolve, reject) => {
      if (target === null) {
        this.#life.schedule(lookupUs, "lookup", () => reject(new NetworkError("unknown-host", `Host ${address.host} is unknown`)));
        return;
      }
      const links = this.#internet.linkPair(this.#machine.name, target.name);
      new ConnectAttempt(this.#life, { machine: this.#machine, target, address, links, timeoutMs, resolve, reject }).start();
    });
  }

  async #listen(address: Address, onConnection: (connection: Connection) => void): Promise<Listener> {
    const { port, stop } = this.#machine.listen(this.#life, address, onConnection);
    return { address: { host: address.host, port }, close: () => this.#close(stop) };
  }

  #close(stop: () => void): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#life.isOver) stop();
      this.#life.schedule(0, "listener closed", resolve);
    });
  }
}
