import { describe, expect, test } from "vitest";
import { MemoryTerminal } from "./memory-terminal.ts";
import { type OperationResult, type OutputFormat, showResult } from "./result-output.ts";
import type { ArgumentEncoding } from "./value-argument.ts";

const leader = { id: 0x8e9e05c52164694dn, name: "n2", clientUrls: ["http://127.0.0.1:22379"] };
const binary = new Uint8Array([0xff, 0x00, 0x0a]);

function shown(result: OperationResult, format: OutputFormat = "simple", encoding: ArgumentEncoding = "text") {
  const terminal = new MemoryTerminal();
  const status = showResult({ operation: "get", key: "k", result }, format, encoding, terminal);
  return { status, out: terminal.out, outBytes: [...terminal.outBytes], err: terminal.err };
}

describe("simple output", () => {
  test.each(["created", "replaced"] as const)("a write prints %s", (outcome) => {
    expect(shown({ outcome, revision: 7 })).toMatchObject({ status: 0, out: `${outcome}\n`, err: "" });
  });

  test("a get prints the value and a newline, also if it is not text", () => {
    expect(shown({ outcome: "found", value: binary, revision: 7 })).toMatchObject({
      status: 0,
      outBytes: [0xff, 0x00, 0x0a, 0x0a],
      err: "",
    });
  });

  test("a raw get prints the value and nothing else", () => {
    expect(shown({ outcome: "found", value: binary, revision: 7 }, "raw").outBytes).toEqual([...binary]);
  });

  test("a get in hex prints hex", () => {
    expect(shown({ outcome: "found", value: binary, revision: 7 }, "simple", "hex").out).toBe("ff000a\n");
  });

  test("a missing or existing key is said on standard error, with status 3", () => {
    expect(shown({ outcome: "not-found" })).toMatchObject({ status: 3, out: "", err: 'raftkv: key "k" does not exist\n' });
    expect(shown({ outcome: "already-exists" })).toMatchObject({
      status: 3,
      out: "",
      err: 'raftkv: key "k" exists already, raftkv kv update replaces its value\n',
    });
  });

  test("a redirect says where the leader is, with status 4", () => {
    expect(shown({ outcome: "redirect", leader })).toMatchObject({
      status: 4,
      out: "not the leader, the leader is n2 at http://127.0.0.1:22379\n",
    });
    expect(shown({ outcome: "redirect", leader: null })).toMatchObject({ status: 4, out: "not the leader, and no leader is known\n" });
  });
});

describe("JSON output", () => {
  const json = (result: OperationResult, encoding: ArgumentEncoding = "text"): unknown => JSON.parse(shown(result, "json", encoding).out);

  test("a value that is text stands there as text and as base64", () => {
    expect(json({ outcome: "found", value: Buffer.from("wörld"), revision: 7 })).toEqual({
      operation: "get",
      key: "k",
      outcome: "found",
      value: "wörld",
      valueBase64: "d8O2cmxk",
      revision: 7,
    });
  });

  test("a value that is not text stands there as base64 only", () => {
    expect(json({ outcome: "found", value: binary, revision: 7 })).toEqual({
      operation: "get",
      key: "k",
      outcome: "found",
      valueBase64: "/wAK",
      revision: 7,
    });
  });

  test("with hex the value is hex", () => {
    expect(json({ outcome: "found", value: binary, revision: 7 }, "hex")).toMatchObject({ value: "ff000a" });
  });

  test("every outcome is an object on standard output, with the same exit status as in simple output", () => {
    expect(json({ outcome: "not-found" })).toEqual({ operation: "get", key: "k", outcome: "not-found" });
    expect(shown({ outcome: "not-found" }, "json")).toMatchObject({ status: 3, err: "" });
    expect(json({ outcome: "redirect", leader })).toEqual({
      operation: "get",
      key: "k",
      outcome: "redirect",
      leader: { id: "8e9e05c52164694d", name: "n2", clientUrls: ["http://127.0.0.1:22379"] },
    });
  });
});
