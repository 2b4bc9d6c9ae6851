import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ServerPorts, ServerReport } from "./attacked-server.ts";
import type { AttackOrder, AttackTally } from "./attacker.ts";
import { Bystander, type Latencies } from "./bystander.ts";
import type { SocketAttack } from "./socket-attack.ts";

/** Clients that behave well. */
const bystanders = 4;
/** How much longer the calls of others may take while their server is attacked than while another one on this machine is. */
const slowdownMax = 2;
const warmUpMs = 1_500;
/** From the beginning of an attack to the measurement: a server takes something from everybody before it knows who attacks. */
const settleMs = 500;
/** From the end of an attack to what comes next. */
const restMs = 100;
const addressesOfNetwork = 250;

export interface AttackRunOptions {
  readonly rounds: number;
  readonly roundMs: number;
  readonly line: (text: string) => void;
}

/**
 * What an attack did to others. Each round measures them without it, while it goes to another server, and while it goes to theirs: the
 * first two differ by the processor time that attackers and attacked take of the machine, the last two by what the server lets happen.
 */
interface AttackEffect {
  readonly quietP99Ms: number;
  readonly elsewhereP99Ms: number;
  readonly attackedP99Ms: number;
  /** Of the rounds, each p99 with the attack over that with the attack elsewhere. */
  readonly slowdown: number;
  /** Calls of others. */
  readonly failures: number;
  readonly connections: number;
  readonly bytesSent: number;
  /** Memory of the server's process, at most. */
  readonly residentBytes: number;
  /** Limits that tripped, each with how often. */
  readonly tripped: readonly string[];
}

/** Runs the attacks one after another. Servers and attacker have processes of their own; the others' calls are measured in this one. */
export async function runAttacks(attacks: readonly SocketAttack[], options: AttackRunOptions): Promise<"bearable" | "harmful"> {
  const server = start("attacked-server");
  const otherServer = start("attacked-server");
  const attacker = start("attacker");
  try {
    const [ports, otherPorts] = await Promise.all([next<ServerPorts>(server), next<ServerPorts>(otherServer)]);
    const bystander = new Bystander(ports.plain, bystanders);
    await bystander.measure(warmUpMs);
    options.line(
      `${"attack".padEnd(62)} p99 without  elsewhere   with  ratio  server MiB  what the attacker did, and which limits tripped`,
    );
    const scene: AttackScene = { server, attacker, ports, otherPorts, bystander, nextAddress: addresses(), options };
    let harmful = 0;
    for (const attack of attacks) {
      const effect = await measureAttack(attack, scene);
      if (effect.slowdown > slowdownMax || effect.failures > 0) harmful++;
      options.line(describe(attack.name, effect));
    }
    await bystander.close();
    options.line(
      `${attacks.length - harmful} of ${attacks.length} attacks leave the p99 of others within ${slowdownMax} times what it is when another server is attacked`,
    );
    return harmful === 0 ? "bearable" : "harmful";
  } finally {
    server.disconnect();
    otherServer.disconnect();
    attacker.disconnect();
  }
}

interface AttackScene {
  readonly server: ChildProcess;
  readonly attacker: ChildProcess;
  readonly ports: ServerPorts;
  readonly otherPorts: ServerPorts;
  readonly bystander: Bystander;
  /** Where the next attack comes from. */
  readonly nextAddress: () => string;
  readonly options: AttackRunOptions;
}

async function measureAttack(attack: SocketAttack, scene: AttackScene): Promise<AttackEffect> {
  const { server, ports, otherPorts, bystander, options } = scene;
  const p99s: { readonly quiet: number; readonly elsewhere: number; readonly attacked: number }[] = [];
  let [failures, connections, bytesSent, residentBytes] = [0, 0, 0, 0];
  const before = await ask<ServerReport>(server, "report");
  for (let round = 0; round < options.rounds; round++) {
    const quiet = await bystander.measure(options.roundMs);
    // Each is first in every other round.
    const elsewhereFirst = round % 2 === 0 ? await besideAttack(attack, otherPorts, scene) : null;
    const attacked = await besideAttack(attack, ports, scene);
    const elsewhere = elsewhereFirst ?? (await besideAttack(attack, otherPorts, scene));
    p99s.push({ quiet: quiet.p99Ms, elsewhere: elsewhere.latencies.p99Ms, attacked: attacked.latencies.p99Ms });
    failures += attacked.latencies.failures;
    connections += attacked.tally.connections;
    bytesSent += attacked.tally.bytesSent;
    residentBytes = Math.max(residentBytes, attacked.residentBytes);
  }
  const after = await ask<ServerReport>(server, "report");
  return {
    quietP99Ms: median(p99s.map(({ quiet }) => quiet)),
    elsewhereP99Ms: median(p99s.map(({ elsewhere }) => elsewhere)),
    attackedP99Ms: median(p99s.map(({ attacked }) => attacked)),
    slowdown: median(p99s.map(({ elsewhere, attacked }) => attacked / elsewhere)),
    failures,
    connections,
    bytesSent,
    residentBytes,
    tripped: Object.keys(after.limits).flatMap((name) => {
      const count = (after.limits[name] ?? 0) - (before.limits[name] ?? 0);
      return count > 0 ? [`${name} ${count}`] : [];
    }),
  };
}

interface AttackedRound {
  readonly latencies: Latencies;
  readonly tally: AttackTally;
  readonly residentBytes: number;
}

/** What the others feel while the attack, by somebody whom no server knows yet, goes to `ports`. */
async function besideAttack(attack: SocketAttack, ports: ServerPorts, scene: AttackScene): Promise<AttackedRound> {
  const { server, attacker, bystander, options } = scene;
  const order: AttackOrder = { attack: attack.name, port: ports[attack.port], localAddress: scene.nextAddress() };
  await ask<AttackTally>(attacker, order);
  await bystander.measure(settleMs);
  const latencies = await bystander.measure(options.roundMs);
  const { residentBytes } = await ask<ServerReport>(server, "report");
  const tally = await ask<AttackTally>(attacker, "stop");
  await bystander.measure(restMs);
  return { latencies, tally, residentBytes };
}

/** Another loopback address each time; where there is but one, as outside Linux, that one. */
function addresses(): () => string {
  let count = 0;
  return () => {
    if (process.platform !== "linux") return "127.0.0.1";
    count++;
    return `127.1.${Math.floor(count / addressesOfNetwork)}.${1 + (count % addressesOfNetwork)}`;
  };
}

function describe(name: string, effect: AttackEffect): string {
  const { quietP99Ms, elsewhereP99Ms, attackedP99Ms, slowdown, failures, connections, bytesSent, residentBytes, tripped } = effect;
  const figures = [
    `${quietP99Ms.toFixed(2)} ms`.padStart(11),
    `${elsewhereP99Ms.toFixed(2)}`.padStart(10),
    `${attackedP99Ms.toFixed(2)}`.padStart(6),
    slowdown.toFixed(2).padStart(6),
    (residentBytes / 1024 / 1024).toFixed(0).padStart(11),
  ];
  const did = `${connections} connections, ${(bytesSent / 1024 / 1024).toFixed(1)} MiB; ${tripped.join(", ") || "none"}`;
  return `${name.padEnd(62)} ${figures.join(" ")}  ${did}${failures > 0 ? `; ${failures} CALLS OF OTHERS FAILED` : ""}`;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** A program beside this file, in a process of its own, with node's defaults: this one has flags that keep its garbage from its figures. */
function start(program: string): ChildProcess {
  return fork(fileURLToPath(new URL(`${program}.js`, import.meta.url)), { execArgv: [] });
}

/** What the process says next. It says what its program promises. */
async function next<T>(child: ChildProcess): Promise<T> {
  const [message] = (await once(child, "message")) as [T];
  return message;
}

/** Asks the server for a report, or the attacker to begin or stop. */
async function ask<T>(child: ChildProcess, question: AttackOrder | "report" | "stop"): Promise<T> {
  const answer = next<T>(child);
  child.send(question);
  return answer;
}
