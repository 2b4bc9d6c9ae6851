import { type ParseArgsConfig, parseArgs } from "node:util";

/** The command line is wrong: the message says how. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What flags may be, as node:util has them. */
type Flags = NonNullable<ParseArgsConfig["options"]>;
/** By name of the flag; undefined where it is not there and has no default. */
type FlagValues<Known extends Flags> = ReturnType<typeof parseArgs<{ options: Known; strict: true }>>["values"];

/** The values of `flags` in `args`, which hold nothing else. Throws UsageError. */
export function parseFlags<Known extends Flags>(args: readonly string[], flags: Known): FlagValues<Known> {
  return orUsageError(() => parseArgs({ args: [...args], options: flags, allowPositionals: false, strict: true }).values);
}

/** What `parse` returns. Throws UsageError with the sentence of what it throws. */
export function orUsageError<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Each of the names in `text`, which commas separate, must be one of `names`. `kind`: what they name. Throws UsageError. */
export function knownNames<Name extends string>(kind: string, text: string, names: readonly Name[]): readonly Name[] {
  return text.split(",").map((part) => {
    const name = names.find((known) => known === part);
    if (name === undefined) throw new UsageError(`${kind} ${JSON.stringify(part)} is none of ${names.join(", ")}`);
    return name;
  });
}

/** From 1 to `max`. Throws UsageError. */
export function wholeNumber(flag: string, text: string, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > max) throw new UsageError(`${flag} ${JSON.stringify(text)} is not a whole number from 1 to ${max}`);
  return value;
}

const secondsMax = 3600;

/** Milliseconds of a number of seconds from `min` to an hour. Throws UsageError. */
export function secondsInMs(flag: string, text: string, min: number): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= secondsMax))
    throw new UsageError(`${flag} ${JSON.stringify(text)} is not a number from ${min} to ${secondsMax}`);
  return value * 1000;
}
