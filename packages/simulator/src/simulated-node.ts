import type { Ports } from "@raftkv/raft-node";
import { CapturedLog, CapturingLogger } from "./capturing-logger.ts";
import { DiskPort } from "./disk/disk-port.ts";
import { SimulatedDisk, type SimulatedDiskOptions } from "./disk/simulated-disk.ts";
import { NetworkPort } from "./network/network-port.ts";
import type { SimulatedInternet } from "./network/simulated-internet.ts";
import type { SimulatedMachine } from "./network/simulated-machine.ts";
import { Oscillator, SimulatedClock } from "./simulated-clock.ts";
import { Life } from "./timeline/life.ts";
import type { Timeline } from "./timeline/timeline.ts";

export interface SimulatedNodeOptions {
  /** Host names and addresses that lead to this machine. Default: its name. */
  readonly hosts?: readonly string[];
  readonly disk?: SimulatedDiskOptions;
}

/**
 * A machine with one process. The disk, the clock and the log outlive the process; everything else belongs to one life of it.
 *
 *     start ─► Ports of life 1 ─► crash | losePower ─► start ─► Ports of life 2 on the same disk
 */
export class SimulatedNode {
  readonly name: string;
  readonly disk: SimulatedDisk;
  readonly clock: Oscillator;
  readonly log = new CapturedLog();
  readonly #timeline: Timeline;
  readonly #internet: SimulatedInternet;
  readonly #machine: SimulatedMachine;
  #life: Life | null = null;
  #livesTotal = 0;

  constructor(timeline: Timeline, internet: SimulatedInternet, name: string, options: SimulatedNodeOptions) {
    this.name = name;
    this.#timeline = timeline;
    this.clock = new Oscillator(timeline);
    this.disk = new SimulatedDisk(timeline.random(`disk/${name}`), options.disk ?? {});
    this.#internet = internet;
    this.#machine = internet.addMachine(name, options.hosts ?? [name]);
  }

  /** A process runs, paused or not. */
  get isRunning(): boolean {
    return this.#life !== null;
  }

  /** Starts the process and gives it its ports. Switches the machine on if it has lost power. */
  start(): Ports {
    if (this.#life !== null) throw new Error(`Node ${this.name} runs already`);
    this.#livesTotal++;
    const life = new Life(this.#timeline, this.name);
    this.#life = life;
    this.#machine.start(life);
    this.disk.start(life);
    return {
      clock: new SimulatedClock(life, this.clock),
      random: this.#timeline.random(`node/${this.name}/${this.#livesTotal}`),
      disk: new DiskPort(life, this.disk),
      network: new NetworkPort(life, this.#machine, this.#internet),
      logger: new CapturingLogger(life, this.log),
    };
  }

  /** The process is gone from one instant to the next (kill -9). The machine closes its connections; what it wrote stays. */
  crash(): void {
    this.#endLife("crash");
    this.#machine.closeAll();
    this.disk.crashProcess();
  }

  /** The machine is gone without a word: connections stay half-open, and writes that were not synced survive by chance. */
  losePower(): void {
    this.#endLife("power loss");
    this.#machine.switchOff();
    this.disk.losePower();
  }

  /** The process stands still (SIGSTOP, a long collection); the machine goes on accepting for it. */
  pause(): void {
    this.#life?.pause();
  }

  resume(): void {
    this.#life?.resume();
  }

  /** `crash` and `start`. */
  restart(): Ports {
    if (this.#life !== null) this.crash();
    return this.start();
  }

  #endLife(kind: string): void {
    if (this.#life === null) return;
    this.#timeline.trace.add(this.#timeline.nowUs, kind, this.name);
    this.#life.end();
    this.#life = null;
  }
}
