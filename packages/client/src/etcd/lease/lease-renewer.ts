import { RpcError } from "@raftkv/raft-rpc";
import { onAbort } from "../../abort-listeners.ts";
import type { CallOptions } from "../../call-options.ts";
import type { ClientContext } from "../../client-context.ts";
import type { Endpoint } from "../../endpoint.ts";
import type { AttemptTime, EtcdRouter } from "../etcd-router.ts";
import type { LeaseRenewal } from "./lease-answers.ts";
import { RenewalStream } from "./renewal-stream.ts";

/** Keeps leases alive over one stream to each member that is asked: one, as long as it answers. Streams end when nobody needs them. */
export class LeaseRenewer {
  readonly #context: ClientContext;
  readonly #router: EtcdRouter;
  readonly #streams = new Map<string, RenewalStream>();
  #users = 0;

  constructor(context: ClientContext, router: EtcdRouter) {
    this.#context = context;
    this.#router = router;
  }

  /** Somebody renews again and again, until `release`: a stream stays open in between. */
  retain(): void {
    this.#users += 1;
  }

  release(): void {
    this.#users -= 1;
    this.#closeIdle();
  }

  /** One renewal, tried until a member answers; it is not counted among the calls in flight. Rejects with ClientError. */
  async renew(id: bigint, options: CallOptions): Promise<LeaseRenewal> {
    const attempt = (endpoint: Endpoint, time: AttemptTime): Promise<LeaseRenewal> => this.#attempt(endpoint, id, time, options);
    try {
      return await this.#router.route({ name: "LeaseKeepAlive", repetition: "idempotent", attempt }, options);
    } finally {
      this.#closeIdle();
    }
  }

  close(): void {
    for (const stream of [...this.#streams.values()]) stream.close();
  }

  async #attempt(endpoint: Endpoint, id: bigint, time: AttemptTime, { signal }: CallOptions): Promise<LeaseRenewal> {
    const renewal = this.#streamTo(endpoint, time).renew(id, time);
    if (signal === undefined) return renewal;
    return new Promise((resolve, reject) => {
      const undo = onAbort(signal, () => reject(RpcError.from(signal.reason)));
      void renewal.then(resolve, reject).finally(undo);
    });
  }

  #streamTo(endpoint: Endpoint, { connectMs }: AttemptTime): RenewalStream {
    const { address } = endpoint;
    const known = this.#streams.get(address);
    if (known !== undefined) return known;
    const stream = new RenewalStream(this.#context, endpoint, connectMs, () => {
      if (this.#streams.get(address) === stream) this.#streams.delete(address);
    });
    this.#streams.set(address, stream);
    return stream;
  }

  #closeIdle(): void {
    if (this.#users > 0) return;
    for (const stream of [...this.#streams.values()]) if (stream.idle) stream.close();
  }
}
