import { type Answer, AnsweringServer } from "./answering-server.ts";
import { type AnyRequest, RandomRequests } from "./random-requests.ts";

/** A request that two servers did not answer alike. */
export interface Difference {
  readonly place: number;
  readonly request: AnyRequest;
  readonly answers: readonly [Answer, Answer];
}

export interface DifferentialRun {
  readonly seed: string;
  readonly count: number;
  /** `host:port` of both. Their stores have to be as new. */
  readonly endpoints: readonly [string, string];
}

/** Asks two servers the same, one request after the other, until they differ. */
export async function findDifference({ seed, count, endpoints }: DifferentialRun): Promise<Difference | null> {
  const requests = new RandomRequests(seed);
  const [one, other] = [new AnsweringServer(endpoints[0]), new AnsweringServer(endpoints[1])];
  let revision = 1;
  try {
    for (let place = 1; place <= count; place++) {
      const request = requests.next(revision);
      const answers = await Promise.all([one.ask(request), other.ask(request)]);
      if (JSON.stringify(answers[0]) !== JSON.stringify(answers[1])) return { place, request, answers };
      revision = Math.max(revision, revisionOf(answers[0]));
    }
    return null;
  } finally {
    await Promise.all([one.close(), other.close()]);
  }
}

function revisionOf(answer: Answer): number {
  if (!("answer" in answer)) return 0;
  const { header } = answer.answer as { readonly header?: { readonly revision?: unknown } };
  return Number(header?.revision ?? 0);
}
