import type { NodeId } from "../types.ts";
import { CommandError } from "./command-error.ts";

/** `key`, `key=value` or `key=(value,value)`. */
export interface DirectiveArgument {
  readonly key: string;
  /** Empty for a key alone. */
  readonly values: readonly string[];
}

/** The arguments of one directive, in the order written. */
export class DirectiveArguments implements Iterable<DirectiveArgument> {
  private readonly all: readonly DirectiveArgument[];

  constructor(all: readonly DirectiveArgument[]) {
    this.all = all;
  }

  /** Throws Error if `text` is no list of arguments. */
  static parse(text: string): DirectiveArguments {
    const found: DirectiveArgument[] = [];
    for (let rest = text.trim(); rest !== ""; rest = rest.trim()) {
      const key = /^[^ =]*/.exec(rest)?.[0] ?? "";
      if (key === "") throw new Error(`An argument has no name: ${rest}`);
      const { values, length } = valuesAt(rest.slice(key.length));
      found.push({ key, values });
      rest = rest.slice(key.length + length);
    }
    return new DirectiveArguments(found);
  }

  [Symbol.iterator](): Iterator<DirectiveArgument> {
    return this.all[Symbol.iterator]();
  }

  /** Key of the argument at `place`, from 0. Throws if there is none. */
  key(place: number): string {
    const argument = this.all[place];
    if (argument === undefined) throw new Error(`Argument ${place + 1} is missing`);
    return argument.key;
  }

  /** The argument at `place` as a number. */
  number(place: number): number {
    return parseNumber(this.key(place));
  }

  /** The values of the first argument with this key, undefined if there is none. */
  values(key: string): readonly string[] | undefined {
    return this.all.find((argument) => argument.key === key)?.values;
  }

  /** The first value of the first argument with this key. */
  value(key: string): string | undefined {
    return this.values(key)?.[0];
  }

  /** The member ids among the arguments: all that stand alone. */
  ids(): readonly NodeId[] {
    return this.all.filter(({ values }) => values.length === 0).map(({ key }) => parseNumber(key));
  }
}

/** Throws CommandError for anything but a decimal number. */
export function parseNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new CommandError(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

/** Throws CommandError for anything but the twelve ways to write a truth value. */
export function parseBoolean(text: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false;
  throw new CommandError(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** The values that `text` begins with, right behind a key, and how much of it they take. */
function valuesAt(text: string): { readonly values: readonly string[]; readonly length: number } {
  if (!text.startsWith("=")) return { values: [], length: 0 };
  if (text.startsWith("=(")) return listAt(text);
  const value = /^=([^ ]*)/.exec(text)?.[1] ?? "";
  return { values: [value], length: 1 + value.length };
}

/** A list in parentheses; what is nested in it belongs to the values. */
function listAt(text: string): { readonly values: readonly string[]; readonly length: number } {
  const values: string[] = [];
  let depth = 1;
  let value = "";
  for (let offset = 2; offset < text.length; offset++) {
    const character = text.charAt(offset);
    if (character === "(") depth++;
    if (character === ")") depth--;
    if (depth === 0) return { values: [...values, value], length: offset + 1 };
    if (character === "," && depth === 1) {
      values.push(value);
      value = "";
    } else if (character !== " " || value !== "" || values.length === 0) value += character;
  }
  throw new Error(`A list has no end: ${text}`);
}
