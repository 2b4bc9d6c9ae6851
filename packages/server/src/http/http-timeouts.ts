/** How long a client may take for each step on HTTP/1.1. Node checks its own limits only on servers that listen. */
export interface HttpTimeouts {
  /** From the connection to the end of the first request's head, and for a page to be made and taken. Default 10 s. */
  readonly pageMs: number;
  /** From the head of a gateway's request to the end of its body, and until somebody who does not read what is sent reads. Default 60 s. */
  readonly bodyMs: number;
  /** Between requests. Longer than load balancers keep idle connections, mostly 60 s, so that none of them is closed under a request. Default 75 s. */
  readonly idleMs: number;
}

export const defaultHttpTimeouts: HttpTimeouts = { pageMs: 10_000, bodyMs: 60_000, idleMs: 75_000 };
