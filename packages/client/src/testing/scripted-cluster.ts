import { type RaftKvResponse, raftkvV1 } from "@raftkv/api";
import { type ByteStream, Dispatcher, RpcServer } from "@raftkv/raft-rpc";
import type { ClientPorts, ClientSettings } from "../client-options.ts";
import type { Endpoint } from "../endpoint.ts";
import { RaftKVClient } from "../raftkv-client.ts";
import { MemoryStream } from "./memory-stream.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** A request as a member saw it. */
export interface SeenRequest {
  readonly method: "put" | "update" | "get" | "remove";
  readonly key: string;
  readonly clientId: bigint;
  readonly sequence: number;
}

/** What a member does with a request: an answer now or later, an error, or nothing at all. */
export type Script = (request: SeenRequest) => Partial<RaftKvResponse> | Promise<Partial<RaftKvResponse>>;

const noBytes = new Uint8Array(0);
const text = new TextDecoder();

/** A member: a real RpcServer whose service does what its script says. */
export class ScriptedMember {
  readonly address: string;
  readonly seen: SeenRequest[] = [];
  readonly dispatcher = new Dispatcher();
  /** Whether connections are accepted, refused, or never answered. */
  reachable: "yes" | "refuses" | "silent" = "yes";
  connectionsTotal = 0;
  readonly #server: RpcServer;
  readonly #streams = new Set<MemoryStream>();

  constructor(address: string, clock: VirtualClock, script: Script) {
    this.address = address;
    const answer =
      (method: SeenRequest["method"]) =>
      async (request: { readonly key: Uint8Array; readonly clientId: bigint; readonly sequence: number }): Promise<RaftKvResponse> => {
        const seen = { method, key: text.decode(request.key), clientId: request.clientId, sequence: request.sequence };
        this.seen.push(seen);
        return { status: "success", value: noBytes, leader: null, message: "", revision: 1, ...(await script(seen)) };
      };
    this.dispatcher.add(raftkvV1.raftKvService, {
      put: answer("put"),
      update: answer("update"),
      get: answer("get"),
      remove: answer("remove"),
    });
    this.#server = new RpcServer({ dispatcher: this.dispatcher, clock });
  }

  accept(stream: MemoryStream): void {
    this.connectionsTotal += 1;
    this.#streams.add(stream);
    this.#server.accept(stream);
  }

  /** Every connection breaks, as when the process is killed. */
  cutConnections(): void {
    for (const stream of this.#streams) stream.cut(new Error("connection reset"));
    this.#streams.clear();
  }
}

/** Members at addresses on a network in memory, and the ports of a client that reaches them. */
export class ScriptedCluster implements ClientPorts {
  readonly clock = new VirtualClock();
  /** A fixed sequence in place of chance. */
  readonly random = {
    below: (limit: number): number => {
      this.#draws = (this.#draws * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((this.#draws / 2 ** 31) * limit);
    },
  };
  readonly #members = new Map<string, ScriptedMember>();
  #draws = 1;

  member(address: string, script: Script = () => ({})): ScriptedMember {
    const member = new ScriptedMember(address, this.clock, script);
    this.#members.set(address, member);
    return member;
  }

  /** A client on this cluster's ports. */
  client(settings: ClientSettings): RaftKVClient {
    const { connect, clock, random } = this;
    return new RaftKVClient({ ...settings, connect, clock, random });
  }

  readonly connect = ({ address }: Endpoint, timeoutMs: number): Promise<ByteStream> => {
    const member = this.#members.get(address);
    if (member?.reachable === "silent") {
      return new Promise((_, reject) => {
        this.clock.setTimer(timeoutMs, () => reject(new Error(`${address} did not answer in ${timeoutMs} ms`)));
      });
    }
    if (member === undefined || member.reachable === "refuses") return Promise.reject(new Error(`${address} refused the connection`));
    const [client, server] = MemoryStream.pair(this.clock, address);
    member.accept(server);
    return Promise.resolve(client);
  };
}

/** A response that names a leader. */
export function redirectTo(member: { readonly address: string } | null, name = "the-leader"): Partial<RaftKvResponse> {
  return { status: "redirect", leader: member === null ? null : { id: 7n, name, clientUrls: [`http://${member.address}`] } };
}
