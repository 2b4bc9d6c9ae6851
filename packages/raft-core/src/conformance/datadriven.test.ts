import { describe, expect, test } from "vitest";
import { type Directive, parseScript, ScriptError } from "./datadriven.ts";

function only(text: string): Directive {
  const [directive, ...others] = parseScript(text);
  if (directive === undefined || others.length > 0) throw new Error("The script has not one directive");
  return directive;
}

function script(...lines: readonly string[]): string {
  return lines.join("\n");
}

describe("a script", () => {
  test("is a sequence of directives with input and expected output", () => {
    const text = script("# why", "", "first 1 x=2", "  in", " put ", "----", "one", "two", "", "second", "----", "");
    const [first, second] = parseScript(text);
    expect(first).toMatchObject({ command: "first", input: "in\n put", expected: "one\ntwo\n", line: 3 });
    expect(second).toMatchObject({ command: "second", input: "", expected: "", line: 10 });
  });

  test("has comments only between directives", () => {
    expect(only(script("do", "# input", "----", "# output"))).toMatchObject({ input: "# input", expected: "# output\n" });
  });

  test("ends its last output with or without a newline", () => {
    for (const end of ["", "\n", "\n\n"]) expect(only(`do\n----\nok${end}`).expected).toBe("ok\n");
  });

  test("may leave out the expected output of its last directive", () => {
    expect(only("do\ninput")).toMatchObject({ input: "input", expected: "" });
  });

  test("continues a directive behind a backslash", () => {
    const directive = only(script("do a \\", "  b=1 \\", " c", "----", "ok"));
    expect([...directive.arguments].map(({ key }) => key)).toEqual(["a", "b", "c"]);
    expect(directive.line).toBe(1);
  });

  test("puts output with blank lines between pairs of separators", () => {
    const text = script("do", "----", "----", "one", "", "----", "two", "----", "----", "", "next", "----", "ok");
    const [first, second] = parseScript(text);
    expect(first?.expected).toBe("one\n\n----\ntwo\n");
    expect(second).toMatchObject({ command: "next", expected: "ok\n" });
  });

  test.each([
    ["no end of paired output", script("do", "----", "----", "one"), 3],
    ["no blank line after paired output", script("do", "----", "----", "one", "----", "----", "two"), 7],
    ["an argument without a name", "do =1", 1],
    ["a list without an end", script("", "do x=(1,2"), 2],
  ])("with %s can't be read", (_, text, line) => {
    expect(() => parseScript(text)).toThrow(ScriptError);
    expect(() => parseScript(text)).toThrow(expect.objectContaining({ line }) as Error);
  });
});
