import { ConfigError } from "./config-error.ts";
import type { OptionName } from "./options.ts";

/** Nanoseconds of Go's units of time, which etcd's options are given in. */
const nanosecondsByUnit: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const durationPattern = /^(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+$/;

export function nonEmpty(text: string, flag: OptionName): string {
  if (text === "") throw new ConfigError(`--${flag} is empty`);
  return text;
}

export function wholeNumber(text: string, flag: OptionName, range: { readonly min: number; readonly max: number }): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw new ConfigError(`--${flag} "${text}" is not a whole number`);
  if (value < range.min || value > range.max) throw new ConfigError(`--${flag} ${text} is not between ${range.min} and ${range.max}`);
  return value;
}

export function oneOf<Value extends string>(text: string, flag: OptionName, values: readonly Value[]): Value {
  const value = values.find((candidate) => candidate === text);
  if (value === undefined) throw new ConfigError(`--${flag} "${text}" is none of ${values.join(", ")}`);
  return value;
}

export function trueOrFalse(text: string, flag: OptionName): boolean {
  return oneOf(text, flag, ["true", "false"]) === "true";
}

/** Milliseconds of a duration as Go writes them: `1h30m`, `2.5s`, `0`. */
export function durationMs(text: string, flag: OptionName): number {
  if (text === "0") return 0;
  if (!durationPattern.test(text)) throw new ConfigError(`--${flag} "${text}" is not a duration, give one like 10s, 5m or 1h30m`);
  let nanoseconds = 0;
  for (const [, number = "", unit = ""] of text.matchAll(/([\d.]+)([a-zµ]+)/g)) {
    nanoseconds += Number(number) * (nanosecondsByUnit[unit] ?? 0);
  }
  return nanoseconds / 1e6;
}

/** The items of a comma-separated list, at least one. */
export function listOf(text: string, flag: OptionName): readonly string[] {
  const items = text.split(",").map((item) => item.trim());
  if (items.includes("")) throw new ConfigError(`--${flag} "${text}" has an empty item, give a comma-separated list`);
  return items;
}
