import { type Codec, defineService } from "../grpc/service-definition.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Text as UTF-8; malformed octets throw. */
export const textCodec: Codec<string> = { encode: (text) => encoder.encode(text), decode: (bytes) => decoder.decode(bytes) };

export const bytesCodec: Codec<Uint8Array> = { encode: (bytes) => bytes, decode: (bytes) => bytes };

/** A method of each kind. */
export const echoService = defineService({
  typeName: "test.Echo",
  methods: {
    /** Answers with the request. */
    say: { name: "Say", kind: "unary", request: textCodec, response: textCodec },
    /** Joins all requests with spaces. */
    collect: { name: "Collect", kind: "clientStreaming", request: textCodec, response: textCodec },
    /** Answers with each letter of the request. */
    spell: { name: "Spell", kind: "serverStreaming", request: textCodec, response: textCodec },
    /** Answers each request. */
    chat: { name: "Chat", kind: "bidirectional", request: textCodec, response: textCodec },
    /** Never implemented. */
    missing: { name: "Missing", kind: "unary", request: textCodec, response: textCodec },
    /** Answers with the request, of any bytes. */
    copy: { name: "Copy", kind: "unary", request: bytesCodec, response: bytesCodec },
  },
});
