import { connect, type Socket } from "node:net";
import { socketAttacks } from "./socket-attack.ts";

/** Said to the attacker: which attack, where, and as whom. `stop` ends the one that runs. */
export interface AttackOrder {
  readonly attack: string;
  readonly port: number;
  /** An address of this machine. */
  readonly localAddress: string;
}

/** Between the end of a socket and the next one in its place. */
const reconnectMs = 1;

/** What an attack did until now. */
export interface AttackTally {
  readonly connections: number;
  readonly bytesSent: number;
}

class RunningAttack {
  connections = 0;
  bytesSent = 0;
  readonly #sockets = new Set<Socket>();
  #stopped = false;

  constructor({ attack: name, port, localAddress }: AttackOrder) {
    const attack = socketAttacks.find((known) => known.name === name);
    if (attack === undefined) throw new Error(`No attack has the name ${name}`);
    const open = (): void => {
      if (this.#stopped) return;
      const socket = connect({ host: "127.0.0.1", port, localAddress });
      this.#sockets.add(socket);
      this.connections++;
      socket.on("error", () => undefined);
      if (attack.reads) socket.resume();
      else socket.pause();
      if (attack.leaves) socket.once("data", () => socket.destroy());
      socket.on("close", () => {
        this.bytesSent += socket.bytesWritten;
        this.#sockets.delete(socket);
        setTimeout(open, reconnectMs);
      });
      if (attack.bytes.length > 0) socket.write(attack.bytes);
    };
    for (let count = 0; count < attack.sockets; count++) open();
  }

  stop(): AttackTally {
    this.#stopped = true;
    for (const socket of this.#sockets) socket.destroy();
    return { connections: this.connections, bytesSent: this.bytesSent };
  }
}

let running: RunningAttack | null = null;

process.on("message", (order: AttackOrder | "stop") => {
  const tally: AttackTally = running?.stop() ?? { connections: 0, bytesSent: 0 };
  running = order === "stop" ? null : new RunningAttack(order);
  process.send?.(tally);
});
process.on("disconnect", () => process.exit(0));
