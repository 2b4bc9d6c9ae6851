import type { Socket } from "node:net";
import { originOf } from "../server/connection-admission.ts";

/**
 * The TLS handshakes under way. When there are too many, the oldest of whoever has the most of them makes room: one who begins many and ends
 * none keeps nobody else out.
 */
export class Handshakes {
  readonly #max: number;
  readonly #onRefused: (remoteAddress: string, error: Error) => void;
  /** By address with port, in the order in which they began. */
  readonly #underWay = new Map<string, Socket>();

  constructor(max: number, onRefused: (remoteAddress: string, error: Error) => void) {
    this.#max = max;
    this.#onRefused = onRefused;
  }

  /** False if there are too many; the connection is closed then. */
  begin(socket: Socket): boolean {
    const address = addressOf(socket);
    if (this.#underWay.size >= this.#max) {
      const crowding = this.#crowding(originOf(address));
      if (crowding === null) {
        this.#refuse(address, socket);
        return false;
      }
      this.#refuse(...crowding);
    }
    this.#underWay.set(address, socket);
    socket.once("close", () => {
      if (this.#underWay.get(address) === socket) this.#underWay.delete(address);
    });
    return true;
  }

  ended(socket: Socket): void {
    this.#underWay.delete(addressOf(socket));
  }

  #refuse(address: string, socket: Socket): void {
    this.#underWay.delete(address);
    this.#onRefused(address, new Error(`${this.#max} handshakes are under way already`));
    socket.destroy();
  }

  /** The oldest of the origin that has the most, if it has so many more than `origin` that it could spare one. */
  #crowding(origin: string): [address: string, socket: Socket] | null {
    const byOrigin = new Map<string, [string, Socket][]>();
    for (const handshake of this.#underWay) {
      const itsOrigin = originOf(handshake[0]);
      const others = byOrigin.get(itsOrigin);
      if (others === undefined) byOrigin.set(itsOrigin, [handshake]);
      else others.push(handshake);
    }
    let most: readonly [string, Socket][] = [];
    for (const handshakes of byOrigin.values()) if (handshakes.length > most.length) most = handshakes;
    const own = byOrigin.get(origin)?.length ?? 0;
    return most.length > own + 1 ? (most[0] ?? null) : null;
  }
}

export function addressOf({ remoteAddress, remotePort }: Socket): string {
  return remoteAddress === undefined ? "unknown" : `${remoteAddress}:${remotePort}`;
}
