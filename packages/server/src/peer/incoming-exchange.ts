import { CodecError, decodePeerFrame, encodePeerFrame, type Hello } from "@raftkv/api";
import { type Logger, messageLanes, type PeerTransportHandlers } from "@raftkv/raft-node";
import { StatusCode, type StreamCall, type StreamCallHandlers } from "@raftkv/raft-rpc";
import { nodeIdOf } from "../cluster/identity.ts";
import type { MemberStores } from "../cluster/member-stores.ts";
import { helloRefusal, helloTo, type PeerIdentity, type PeerRefusal, storeRefusal } from "./peer-identity.ts";
import type { PeerTraffic, PeerTrafficTable } from "./peer-traffic.ts";

export interface IncomingExchangeOptions {
  readonly self: PeerIdentity;
  readonly stores: MemberStores;
  readonly handlers: PeerTransportHandlers;
  readonly traffic: PeerTrafficTable;
  readonly logger: Logger;
}

/**
 * A stream that another member opened to send its messages of one lane here. Its first frame must be a Hello that is meant for this
 * member; it is answered with ours, everything after it are batches of messages from that one member.
 */
export class IncomingExchange implements StreamCallHandlers {
  private readonly call: StreamCall;
  private readonly options: IncomingExchangeOptions;
  /** The core's id of the sender, 0 before its Hello. */
  private sender = 0;
  private senderId = 0n;
  private senderStore = 0n;
  private traffic: PeerTraffic | null = null;
  private readonly receiver: number;

  constructor(call: StreamCall, options: IncomingExchangeOptions) {
    this.call = call;
    this.options = options;
    this.receiver = nodeIdOf(options.self.memberId);
    call.setHandlers(this);
  }

  onMessage(bytes: Uint8Array): void {
    try {
      this.take(bytes);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      if (this.traffic !== null) this.traffic.receiveFailures++;
      this.refuse(StatusCode.INTERNAL, `malformed peer frame: ${error.message}`);
    }
  }

  onEnd(): void {
    this.call.end();
  }

  onCancel(): void {}

  onDrain(): void {}

  private take(bytes: Uint8Array): void {
    const frame = decodePeerFrame(bytes);
    if (frame.type === "hello") return this.greet(frame.hello);
    if (this.sender === 0) return this.refuse(StatusCode.FAILED_PRECONDITION, "the first frame must be a Hello");
    const refusal = storeRefusal(this.senderId, this.senderStore, this.options.stores);
    if (refusal !== null) return this.refusePeer(this.senderId, refusal);
    if (this.traffic !== null) this.traffic.receivedBytes += bytes.length;
    for (const message of frame.messages) {
      if (message.from !== this.sender || message.to !== this.receiver || message.type === "installSnapshot") {
        if (this.traffic !== null) this.traffic.receiveFailures++;
        return this.refuse(
          StatusCode.INVALID_ARGUMENT,
          `a ${message.type} from ${message.from} to ${message.to} does not belong on this stream`,
        );
      }
      this.options.handlers.onMessage(message);
    }
  }

  private greet(hello: Hello): void {
    const { self, stores } = this.options;
    if (this.sender !== 0) return this.refuse(StatusCode.FAILED_PRECONDITION, "a second Hello came");
    const refusal = helloRefusal(hello, self, stores, messageLanes);
    if (refusal !== null) return this.refusePeer(hello.fromMember, refusal);
    this.sender = nodeIdOf(hello.fromMember);
    this.senderId = hello.fromMember;
    this.senderStore = hello.storeId;
    this.traffic = this.options.traffic.of(hello.fromMember);
    stores.remember(this.senderId, this.senderStore);
    this.call.send(encodePeerFrame({ type: "hello", hello: helloTo(self, hello.fromMember, hello.lane) }));
  }

  private refusePeer(member: bigint, { kind, reason }: PeerRefusal): void {
    if (kind === "store_lost") this.options.handlers.onStoreLost(nodeIdOf(member));
    this.refuse(StatusCode.FAILED_PRECONDITION, reason);
  }

  private refuse(code: StatusCode, reason: string): void {
    this.options.logger.warn("refused a peer", { remoteAddress: this.call.remoteAddress, reason });
    this.call.end(code, reason);
  }
}
