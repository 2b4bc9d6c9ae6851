import { DirectiveArguments } from "./directive-arguments.ts";

/** One command of a file, with the output that it is expected to have. */
export interface Directive {
  readonly command: string;
  readonly arguments: DirectiveArguments;
  /** What stands between the directive and `----`, without blanks around it. */
  readonly input: string;
  /** Every line ends in a newline; nothing at all is the empty string. */
  readonly expected: string;
  /** 1-based line of the command in its file. */
  readonly line: number;
}

/** A file that can't be read as a script. */
export class ScriptError extends Error {
  override readonly name = "ScriptError";
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

const SEPARATOR = "----";

/**
 * Reads a script of directives:
 *
 *     # a comment
 *     command argument key=value key=(value,value)
 *     input
 *     ----
 *     expected output, up to the first blank line
 *
 * Expected output with blank lines stands between two pairs of `----` lines. Throws ScriptError.
 */
export function parseScript(text: string): readonly Directive[] {
  return new ScriptReader(text).directives();
}

class ScriptReader {
  private readonly lines: readonly string[];
  private next = 0;

  constructor(text: string) {
    this.lines = text.replace(/\n$/, "").split("\n");
  }

  directives(): readonly Directive[] {
    const directives: Directive[] = [];
    while (this.next < this.lines.length) {
      const line = this.next + 1;
      const head = this.takeHead();
      if (head === "") continue;
      const [command = ""] = head.split(" ", 1);
      const args = this.parseArguments(head.slice(command.length), line);
      if (command === "subtest") continue;
      directives.push({ command, arguments: args, input: this.takeInput(), expected: this.takeExpected(), line });
    }
    return directives;
  }

  /** The next line with those that continue it; empty for a comment or a blank line. */
  private takeHead(): string {
    let head = this.take().trim();
    if (head.startsWith("#")) return "";
    while (head.endsWith("\\") && this.next < this.lines.length) head = `${head.slice(0, -1)} ${this.take().trim()}`;
    return head.trim();
  }

  private parseArguments(text: string, line: number): DirectiveArguments {
    try {
      return DirectiveArguments.parse(text);
    } catch (reason) {
      throw new ScriptError(line, reason instanceof Error ? reason.message : String(reason));
    }
  }

  private takeInput(): string {
    const first = this.next;
    while (this.next < this.lines.length && !this.isSeparator()) this.next++;
    return this.lines.slice(first, this.next).join("\n").trim();
  }

  private takeExpected(): string {
    if (!this.isSeparator()) return "";
    this.next++;
    if (this.isSeparator()) return this.takeExpectedBetweenPairs();
    const first = this.next;
    while (this.next < this.lines.length && this.lines[this.next]?.trim() !== "") this.next++;
    return asText(this.lines.slice(first, this.next++));
  }

  private takeExpectedBetweenPairs(): string {
    const first = ++this.next;
    while (this.next < this.lines.length && !(this.isSeparator() && this.lines[this.next + 1] === SEPARATOR)) this.next++;
    const expected = asText(this.lines.slice(first, this.next));
    if (this.next >= this.lines.length) throw new ScriptError(first, "Expected output has no end");
    this.next += 2;
    if (this.next < this.lines.length && this.take() !== "") throw new ScriptError(this.next, "No blank line after the expected output");
    return expected;
  }

  private isSeparator(): boolean {
    return this.lines[this.next] === SEPARATOR;
  }

  private take(): string {
    return this.lines[this.next++] ?? "";
  }
}

function asText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}
