import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { exitCodeMeanings } from "./exit-code.ts";
import { MemoryTerminal } from "./memory-terminal.ts";
import { runProgram } from "./program.ts";

async function run(...args: readonly string[]): Promise<{ status: number; out: string; err: string }> {
  const terminal = new MemoryTerminal();
  const status = await runProgram(args, terminal);
  return { status, out: terminal.out, err: terminal.err };
}

describe("wrong usage ends with status 64 and says what is wrong", () => {
  test.each([
    [["frobnicate"], "error: unknown command 'frobnicate'"],
    [["put", "k"], "error: missing required argument 'value'"],
    [["get"], "error: missing required argument 'key'"],
    [["get", "k", "extra"], "error: too many arguments for 'get'. Expected 1 argument but got 2."],
    [["get", "k", "--colour"], "error: unknown option '--colour'"],
    [["put", "k", "v", "--output", "raw"], "Allowed choices are simple, json."],
    [["get", "k", "--timeout", "0"], '"0" is not a whole number between 1 and 2147483647.'],
    [["get", "k", "--timeout", "soon"], '"soon" is not a whole number between 1 and 2147483647.'],
    [["get", "k", "--endpoints", "localhost"], 'raftkv: Endpoint "localhost" is not host:port, give one like 127.0.0.1:2379'],
    [["get", "k", "--endpoints", ""], 'raftkv: Endpoint "" is not host:port, give one like 127.0.0.1:2379'],
    [["get", "xyz", "--hex"], 'raftkv: Key "xyz" is not pairs of hex digits'],
    [["check-data"], "error: missing required argument 'directory'"],
    [["cluster", "--nodes", "10"], '"10" is not a whole number between 1 and 9.'],
    [
      ["cluster", "--nodes", "3", "--client-port", "65535"],
      "raftkv: Member n2 would get port 65537, give a lower --client-port than 65535",
    ],
  ])("%j", async (args, sentence) => {
    const { status, out, err } = await run(...args);
    expect({ status, out }).toEqual({ status: 64, out: "" });
    expect(err).toContain(sentence);
  });

  test("no command at all prints the help on standard error", async () => {
    const { status, out, err } = await run();
    expect({ status, out }).toEqual({ status: 64, out: "" });
    expect(err).toContain("Usage: raftkv [options] [command]");
  });
});

describe("help", () => {
  test("lists every command and every exit status, and ends with status 0", async () => {
    const { status, out, err } = await run("--help");
    expect({ status, err }).toEqual({ status: 0, err: "" });
    for (const command of ["put", "update", "get", "remove", "status", "server", "cluster", "check-data"])
      expect(out).toMatch(new RegExp(`^  ${command} `, "m"));
    for (const [code, meaning] of exitCodeMeanings) expect(out).toContain(`${String(code).padEnd(3)} ${meaning}`);
  });

  test("of a command names its options with their defaults", async () => {
    const { status, out } = await run("get", "--help");
    expect(status).toBe(0);
    expect(out).toContain("(default: 127.0.0.1:2379)");
    expect(out).toContain("(default: 5000)");
    for (const option of ["--endpoints", "--timeout", "--no-redirect", "--output", "--hex", "--verbose"]) expect(out).toContain(option);
  });
});

test("an endpoint that nobody listens on ends with status 2 when the time is over, and names it", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("A TCP server has a port");
  await new Promise((resolve) => server.close(resolve));
  const endpoint = `127.0.0.1:${address.port}`;

  const get = await run("get", "k", "--endpoints", endpoint, "--timeout", "100");
  expect(get).toMatchObject({ status: 2, out: "" });
  expect(get.err).toMatch(new RegExp(`^raftkv: The get found no leader within 100 ms; last try: ${endpoint}: .*ECONNREFUSED`));

  const status = await run("status", "--endpoints", endpoint, "--timeout", "100");
  expect(status).toMatchObject({ status: 2, err: "raftkv: no member answered\n" });
  expect(status.out).toContain("unreachable");
});
