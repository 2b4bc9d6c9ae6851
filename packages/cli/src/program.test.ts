import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { etcdExitMeanings } from "./etcd/exit-status.ts";
import { exitCodeMeanings } from "./exit-code.ts";
import { MemoryTerminal } from "./memory-terminal.ts";
import { runProgram } from "./program.ts";

/** Long enough for a machine with other work to hear that a connection was refused. */
const refusalMs = 1_500;

async function run(...args: readonly string[]): Promise<{ status: number; out: string; err: string }> {
  return runIn(new MemoryTerminal(), ...args);
}

async function runIn(terminal: MemoryTerminal, ...args: readonly string[]): Promise<{ status: number; out: string; err: string }> {
  const status = await runProgram(args, terminal);
  return { status, out: terminal.out, err: terminal.err };
}

describe("wrong usage ends with status 64 and says what is wrong", () => {
  test.each([
    [["frobnicate"], "error: unknown command 'frobnicate'"],
    [["kv", "frobnicate"], "error: unknown command 'frobnicate'"],
    [["kv", "put", "k"], "error: missing required argument 'value'"],
    [["kv", "get"], "error: missing required argument 'key'"],
    [["kv", "get", "k", "extra"], "error: too many arguments for 'get'. Expected 1 argument but got 2."],
    [["kv", "get", "k", "--colour"], "error: unknown option '--colour'"],
    [["kv", "put", "k", "v", "--output", "raw"], "Allowed choices are simple, json."],
    [["kv", "get", "k", "--timeout", "0"], '"0" is not a whole number between 1 and 2147483647.'],
    [["kv", "get", "k", "--timeout", "soon"], '"soon" is not a whole number between 1 and 2147483647.'],
    [["kv", "get", "k", "--endpoints", "local host"], 'raftkv: Endpoint "local host" is not host:port, give one like 127.0.0.1:2379'],
    [["--endpoints", "", "kv", "get", "k"], 'raftkv: Endpoint "" is not host:port, give one like 127.0.0.1:2379'],
    [["kv", "get", "xyz", "--hex"], 'raftkv: Key "xyz" is not pairs of hex digits'],
    [["kv", "get", "k", "-w", "json"], "raftkv: --write-out means nothing to raftkv kv, leave it out"],
    [["status", "--dial-timeout", "1s"], "raftkv: --dial-timeout means nothing to raftkv status, leave it out"],
    [["cluster", "--endpoints", "127.0.0.1:2379"], "raftkv: --endpoints means nothing to raftkv cluster, leave it out"],
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

test("the version is printed for an option as for the verb", async () => {
  const { status, out } = await run("--version");
  expect({ status, out }).toEqual({ status: 0, out: expect.stringMatching(/^raftkv version: \d+\.\d+\.\d+\nAPI version: 3\.4\n$/) });
  expect((await run("version")).out).toBe(out);
});

describe("help", () => {
  test("lists every command, and ends with status 0", async () => {
    const { status, out, err } = await run("--help");
    expect({ status, err }).toEqual({ status: 0, err: "" });
    for (const command of ["kv", "status", "server", "cluster", "check-data", "get", "put", "del", "txn", "watch", "lease", "snapshot"])
      expect(out).toMatch(new RegExp(`^  ${command} `, "m"));
  });

  test("of a verb names its arguments, its options and those of all commands", async () => {
    const { status, out } = await run("get", "--help");
    expect(status).toBe(0);
    expect(out).toContain("Usage: raftkv get [options] <key> [range_end]");
    for (const option of ["--prefix", "--rev", "--endpoints", "--write-out", "--command-timeout"]) expect(out).toContain(option);
    for (const [code, meaning] of etcdExitMeanings) expect(out).toContain(`${String(code).padEnd(3)} ${meaning}`);
  });

  test("of a command of RaftKV names its options with their defaults", async () => {
    const { status, out } = await run("kv", "get", "--help");
    expect(status).toBe(0);
    expect(out).toContain("(default: 127.0.0.1:2379)");
    expect(out).toContain("(default: 5000)");
    for (const option of ["--endpoints", "--timeout", "--no-redirect", "--output", "--hex", "--verbose"]) expect(out).toContain(option);
    for (const [code, meaning] of exitCodeMeanings) expect(out).toContain(`${String(code).padEnd(3)} ${meaning}`);
  });
});

describe("wrong usage of etcd's verbs ends with etcdctl's status", () => {
  test.each([
    [["get"], 128, "Error: get command needs one argument as key and an optional argument as range_end\n"],
    [["get", "a", "--prefix", "--from-key"], 128, "Error: `--prefix` and `--from-key` cannot be set at the same time, choose one\n"],
    [["get", "a", "b", "--prefix"], 128, "Error: too many arguments, only accept one argument when"],
    [["get", "a", "--order", "WRONG"], 4, "Error: bad sort order WRONG\n"],
    [["get", "a", "-w", "table"], 4, "Error: table not supported as output format\n"],
    [["get", "a", "-w", "xml"], 4, 'Error: unsupported output format "xml", give simple, fields, json or table\n'],
    [["get", "a", "-w", "json", "--print-value-only"], 128, "Error: print-value-only is only for `--write-out=simple`\n"],
    [["get", "a", "--frob"], 1, "Error: unknown option '--frob'\n"],
    [["get", "a", "--rev", "x"], 1, '"x" is not a whole number.'],
    [["get", "a", "--command-timeout", "5"], 1, 'Error: "5" is not a duration like 5s or 500ms\n'],
    [["get", "a", "--command-timeout", "0s"], 128, "Error: Time-out 0 ms is not between 1 and 2147483647\n"],
    [["get", "a", "--endpoints", "local host"], 128, 'Error: Endpoint "local host" is not host:port'],
    [["put", "a"], 128, "Error: put command needs 1 argument and input from stdin or 2 arguments\n"],
    [["put", "a", "b", "--lease", "zz"], 128, 'Error: bad lease ID "zz", expecting ID in Hex\n'],
    [["del", "a", "b", "c"], 128, "Error: del command needs one argument as key and an optional argument as range_end\n"],
    [["txn"], 3, "Error: EOF: an empty line has to end each of the three parts\n"],
    [["watch"], 128, "Error: bad number of arguments: watch needs a key\n"],
    [["watch", "a", "--"], 128, "Error: bad number of arguments (found separator --, but no commands)\n"],
    [["watch", "a", "b", "--prefix"], 128, "Error: `range_end` and `--prefix` are mutually exclusive\n"],
    [["watch", "-i"], 3, "Error: Error reading watch request line: EOF\n"],
    [["compaction", "x"], 1, 'Error: "x" is not a revision\n'],
    [["lease", "grant", "x"], 128, 'Error: bad TTL "x", expecting seconds\n'],
    [["lock"], 128, "Error: lock takes a lock name argument and an optional command to execute\n"],
    [["elect", "e"], 128, "Error: no proposal argument but -l not set\n"],
    [["move-leader", "zz"], 128, 'Error: bad member ID "zz", expecting ID in Hex\n'],
    [["move-leader", "1", "-w", "fields"], 4, "Error: fields not supported as output format\n"],
    [["snapshot", "save"], 128, "Error: snapshot save expects one argument\n"],
    [
      ["snapshot", "save", "f", "--endpoints", "a:1,b:2"],
      5,
      "Error: snapshot must be requested to one selected node, not multiple [a:1 b:2]\n",
    ],
    [["snapshot", "status", "no/such/file"], 1, "Error: ENOENT: no such file or directory"],
    [["check", "perf", "--load", "xxl"], 128, "Error: unknown load option xxl, give s, m, l or xl\n"],
    [["check", "perf", "--duration", "long"], 128, 'Error: "long" is not a duration like 60s\n'],
  ])("%j", async (args, status, sentence) => {
    const result = await run(...args);
    expect(result).toMatchObject({ status, out: "" });
    expect(result.err).toContain(sentence);
  });
});

describe("the environment", () => {
  test("stands in for flags that are not given", async () => {
    const terminal = new MemoryTerminal([], { RAFTKV_ENDPOINTS: "raftkv://127.0.0.1:1", RAFTKV_COMMAND_TIMEOUT: `${refusalMs}ms` });
    const { status, err } = await runIn(terminal, "get", "k");
    expect(status).toBe(1);
    expect(err).toMatch(new RegExp(`${refusalMs} ms.*127.0.0.1:1`));
  });

  test("is refused if it makes no sense", async () => {
    const terminal = new MemoryTerminal([], { RAFTKV_COMMAND_TIMEOUT: "soon" });
    expect(await runIn(terminal, "get", "k")).toEqual({
      status: 1,
      out: "",
      err: 'Error: "soon" is not a duration like 5s or 500ms\n',
    });
  });

  test("yields to flags", async () => {
    const terminal = new MemoryTerminal([], { RAFTKV_WRITE_OUT: "table" });
    expect((await runIn(terminal, "get", "k")).err).toBe("Error: table not supported as output format\n");
    expect((await runIn(terminal, "get", "-w", "yaml", "k")).err).toMatch(/unsupported output format "yaml"/);
  });
});

test("an endpoint that nobody listens on ends with status 2 when the time is over, and names it", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("A TCP server has a port");
  await new Promise((resolve) => server.close(resolve));
  const endpoint = `127.0.0.1:${address.port}`;

  const get = await run("kv", "get", "k", "--endpoints", endpoint, "--timeout", String(refusalMs));
  expect(get).toMatchObject({ status: 2, out: "" });
  expect(get.err).toMatch(new RegExp(`^raftkv: The get found no leader within ${refusalMs} ms; last try: ${endpoint}: .*ECONNREFUSED`));

  const status = await run("status", "--endpoints", endpoint, "--timeout", String(refusalMs));
  expect(status).toMatchObject({ status: 2, err: "raftkv: no member answered\n" });
  expect(status.out).toContain("unreachable");
});
