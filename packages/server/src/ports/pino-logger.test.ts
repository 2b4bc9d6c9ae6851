import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { programSource } from "../testing/program-source.ts";
import { type LogLevel, PinoLogger } from "./pino-logger.ts";

function linesOf(level: LogLevel, say: (logger: PinoLogger) => void): unknown[] {
  const lines: string[] = [];
  say(new PinoLogger({ level, destination: { write: (line) => void lines.push(line) } }));
  return lines.map((line): unknown => JSON.parse(line));
}

test("a line has etcd's names, then the fields", () => {
  const [line] = linesOf("info", (logger) => logger.info("Became leader", { term: 3, members: ["a", "b"] }));
  expect(line).toEqual({
    level: "info",
    ts: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    msg: "Became leader",
    term: 3,
    members: ["a", "b"],
  });
});

test("a line that is written late has the time at which it was true", () => {
  const [late, now] = linesOf("info", (logger) => {
    logger.info("Voted", {}, Date.UTC(2026, 0, 2, 3, 4, 5, 6));
    logger.info("Now");
  });
  expect(late).toMatchObject({ ts: "2026-01-02T03:04:05.006Z" });
  expect(now).not.toMatchObject({ ts: "2026-01-02T03:04:05.006Z" });
});

test("ids are hexadecimal digits, errors their message, bytes hexadecimal digits, at any depth", () => {
  const fields = {
    id: 0x8e9e05c52164694dn,
    error: new Error("Disk is full"),
    key: Uint8Array.of(1, 255),
    deep: { ids: [10n], at: { error: new Error("x") } },
  };
  const [line] = linesOf("info", (logger) => logger.warn("Odd", fields));
  expect(line).toMatchObject({ id: "8e9e05c52164694d", error: "Disk is full", key: "01ff", deep: { ids: ["a"], at: { error: "x" } } });
});

test("a field can't pass for a part of the line, and a value that contains itself ends", () => {
  const circle: Record<string, unknown> = {};
  circle["self"] = circle;
  const [line] = linesOf("info", (logger) => logger.error("Real", { msg: "false", level: "debug", ts: 0, circle }));
  expect(line).toMatchObject({ level: "error", msg: "Real", msg_: "false", level_: "debug", ts_: 0 });
});

test("lines below the level are left out; etcd's panic and fatal leave out all of ours", () => {
  const sayAll = (logger: PinoLogger): void => {
    logger.debug("1");
    logger.info("2");
    logger.warn("3");
    logger.error("4");
  };
  const count = (level: LogLevel): number => linesOf(level, sayAll).length;
  expect((["debug", "info", "warn", "error", "panic", "fatal"] as const).map(count)).toEqual([4, 3, 2, 1, 0, 0]);
});

test("the last line before an exit is not lost", () => {
  const source = programSource(
    new URL("./pino-logger.ts", import.meta.url),
    `const logger = new module.PinoLogger({ level: "info" });
    for (let i = 0; i < 2000; i++) logger.info("line", { i });
    process.exit(7);`,
  );
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", source], {
    encoding: "utf8",
    cwd: fileURLToPath(new URL(".", import.meta.url)),
  });
  const last: unknown = JSON.parse(stderr.trimEnd().split("\n").at(-1) ?? "");
  expect([status, last]).toMatchObject([7, { i: 1_999 }]);
});
