import { ConfigError } from "./config-error.ts";
import { environmentName, type OptionDefinition, type OptionName, serverOptions } from "./options.ts";

/** The settings as given, still text. */
export type GivenOptions = ReadonlyMap<OptionName, string>;

const definitions: readonly OptionDefinition[] = serverOptions;
const names: ReadonlySet<string> = new Set(definitions.map((option) => option.flag));
const switches: ReadonlySet<string> = new Set(definitions.filter((option) => option.isSwitch === true).map((option) => option.flag));

/** Options by the names that they had. */
const flagsByFormerName: ReadonlyMap<string, string> = new Map(
  definitions.flatMap(({ flag, formerName }) => (formerName === undefined ? [] : [[formerName, flag]])),
);

function isOptionName(name: string): name is OptionName {
  return names.has(name);
}

/** Each option with its variable, and with that of its former name. */
const variables: readonly (readonly [OptionName, string])[] = serverOptions.flatMap((option) =>
  namesOf(option).map((name) => [option.flag, environmentName(name)] as const),
);

function namesOf({ flag, formerName }: OptionDefinition): readonly string[] {
  return formerName === undefined ? [flag] : [flag, formerName];
}

/**
 * Reads flags (`--name v`, `--name=v`, `-name v`, a switch also alone) and `ETCD_*` variables. The same setting in both is an error, as with etcd:
 * whoever set one of them would be wrong about what runs. Throws ConfigError.
 */
export function readOptions(args: readonly string[], environment: Readonly<Record<string, string | undefined>>): GivenOptions {
  const given = readFlags(args);
  for (const [flag, variable] of variables) {
    const value = environment[variable];
    if (value === undefined || value === "") continue;
    if (given.has(flag)) {
      throw new ConfigError(
        `conflicting environment variable "${variable}" is shadowed by corresponding command-line flag (either unset environment variable or disable flag)`,
      );
    }
    given.set(flag, value);
  }
  return given;
}

/** The `ETCD_*` variables that mean nothing here; etcd only warns of them. */
export function unknownVariables(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  const known = new Set<string>(variables.map(([, variable]) => variable));
  return Object.keys(environment).filter((name) => name.startsWith("ETCD_") && !known.has(name));
}

function readFlags(args: readonly string[]): Map<OptionName, string> {
  const given = new Map<OptionName, string>();
  for (let at = 0; at < args.length; at++) {
    const argument = args[at] ?? "";
    const match = /^--?([A-Za-z][A-Za-z0-9-]*)(?:=(.*))?$/s.exec(argument);
    if (match === null) throw new ConfigError(`unexpected argument "${argument}", options have the form --name value`);
    const [, written = "", inline] = match;
    const name = flagsByFormerName.get(written) ?? written;
    if (!isOptionName(name)) throw new ConfigError(`unknown flag --${name}, see raftkv server --help`);
    const value = inline ?? (switches.has(name) ? "true" : args[++at]);
    if (value === undefined) throw new ConfigError(`--${name} needs a value`);
    if (given.has(name)) throw new ConfigError(`--${name} is given twice`);
    given.set(name, value);
  }
  return given;
}
