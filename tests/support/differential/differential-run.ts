import { setTimeout as sleep } from "node:timers/promises";
import { SeededRandom } from "@raftkv/simulator";
import { type Answer, type Answering, AnsweringServer } from "./answering-server.ts";
import { GatewayServer, hasPath } from "./gateway-server.ts";
import { type AnyRequest, RandomRequests, type UnaryRequest } from "./random-requests.ts";
import { WatchingServer } from "./watching-server.ts";

/** A request that two servers did not answer alike. */
export interface Difference {
  readonly seed: string;
  /** How many requests of this seed it takes to see it again. */
  readonly count: number;
  readonly via: "gRPC" | "JSON" | "watch";
  readonly request: AnyRequest;
  readonly answers: readonly [unknown, unknown];
}

export interface DifferentialRun {
  readonly seed: string;
  readonly count: number;
  /** `host:port` of both. Their stores have to be as new. */
  readonly endpoints: readonly [string, string];
  /** Methods that are left out. */
  readonly leaves?: ReadonlySet<string>;
}

/** Between two comparisons of what watchers saw. */
const stepsBetweenComparisons = 250;
const watchersAgreeMs = 60_000;

/** Asks two servers the same, one request after the other, until they differ. */
export async function findDifference(run: DifferentialRun): Promise<Difference | null> {
  const comparison = new Comparison(run.endpoints);
  const requests = new RandomRequests(run.seed);
  const ways = new SeededRandom(`${run.seed}, over which protocol`);
  try {
    for (let count = 1; count <= run.count; count++) {
      const request = requests.next(comparison);
      if (run.leaves?.has(request.method) === true) continue;
      const via = ways.oneIn(4) ? "JSON" : "gRPC";
      const found = await comparison.step(request, via, count % stepsBetweenComparisons === 0 || count === run.count);
      if (found !== null) return { seed: run.seed, count, request, ...found };
    }
    return null;
  } finally {
    await comparison.close();
  }
}

type Found = Pick<Difference, "via" | "answers">;

/** Two servers, and where they are. */
class Comparison {
  revision = 1;
  readonly seatRevisions = new Map<string, bigint>();
  private hasNewWatchers = false;
  private readonly grpc: readonly AnsweringServer[];
  private readonly json: readonly GatewayServer[];
  private readonly watching: readonly WatchingServer[];

  constructor(endpoints: readonly [string, string]) {
    this.grpc = endpoints.map((endpoint) => new AnsweringServer(endpoint));
    this.json = endpoints.map((endpoint) => new GatewayServer(endpoint));
    this.watching = endpoints.map((endpoint) => new WatchingServer(endpoint));
  }

  async step(request: AnyRequest, via: "gRPC" | "JSON", comparesWatchers: boolean): Promise<Found | null> {
    switch (request.method) {
      case "watch":
      case "cancelWatch":
      case "watchProgress": {
        // What is on its way would come before or after the answer.
        await this.waitForCatchUp();
        const before = await this.watchersDiffer();
        if (before !== null) return before;
        this.hasNewWatchers ||= request.method === "watch";
        const isAnswered = this.watching.some((server) => server.answers(request));
        // Events of earlier requests may still come, and are no answer.
        const confirmed = this.watching.map((server) => server.confirmations + (isAnswered ? 1 : 0));
        for (const server of this.watching) server.send(request);
        return this.watchersDiffer(() => this.watching.every((server, place) => server.confirmations >= (confirmed[place] ?? 0)));
      }
      case "compact":
        await this.waitForCatchUp();
        return (await this.watchersDiffer()) ?? this.answersDiffer(request, via);
      default:
        return (await this.answersDiffer(request, via)) ?? (comparesWatchers ? this.watchersDiffer() : null);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.grpc, ...this.watching].map((server) => server.close()));
  }

  private async answersDiffer(request: UnaryRequest, via: "gRPC" | "JSON"): Promise<Found | null> {
    const servers: readonly Answering[] = via === "JSON" && hasPath(request) ? this.json : this.grpc;
    const [one, other] = await Promise.all(servers.map((server) => server.ask(request)));
    if (one === undefined || other === undefined) throw new Error("There are two servers");
    if (JSON.stringify(one) !== JSON.stringify(other)) return { via, answers: [one, other] };
    this.learn(request, one);
    return null;
  }

  /** Once everything has come that is awaited. */
  private async watchersDiffer(isComplete = (): boolean => true): Promise<Found | null> {
    const deadline = Date.now() + watchersAgreeMs;
    for (;;) {
      const [one = "", other = ""] = this.watching.map(({ transcript }) => transcript);
      if (one === other && isComplete()) {
        for (const server of this.watching) server.forget();
        return null;
      }
      if (Date.now() > deadline) return { via: "watch", answers: [one.split("\n"), other.split("\n")] };
      await sleep(10);
    }
  }

  /** Watchers that are behind would be overtaken on one server only: etcd looks after those that begin in the past ten times a second. */
  private async waitForCatchUp(): Promise<void> {
    if (!this.hasNewWatchers) return;
    await Promise.all(this.watching.map((server) => server.caughtUp(watchersAgreeMs)));
    this.hasNewWatchers = false;
  }

  private learn(request: UnaryRequest, result: Answer): void {
    if (!("answer" in result)) return;
    const { header, leader } = result.answer as { readonly header?: { revision?: unknown }; readonly leader?: { rev?: string } };
    this.revision = Math.max(this.revision, Number(header?.revision ?? 0));
    if (request.method === "campaign") this.seatRevisions.set(request.name, BigInt(leader?.rev ?? 0));
  }
}
