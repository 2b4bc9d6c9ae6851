import { expect, test } from "vitest";
import { MemoryTerminal } from "./memory-terminal.ts";

test("a program that is run gets variables, writes here, and its end is told", async () => {
  const terminal = new MemoryTerminal();
  const script = 'process.stdout.write(process.env.GIVEN + "\\n"); process.exitCode = Number(process.argv[1])';
  expect(await terminal.run([process.execPath, "-e", script, "0"], { GIVEN: "a" })).toBeNull();
  expect(await terminal.run([process.execPath, "-e", script, "3"], { GIVEN: "b" })).toBe("exit status 3");
  expect(await terminal.run([process.execPath, "-e", "process.kill(process.pid, 'SIGKILL')"], {})).toBe("signal: SIGKILL");
  expect(await terminal.run(["surely-no-such-program"], {})).toMatch(/ENOENT/);
  expect(terminal.out).toBe("a\nb\n");
});
