import { textOf } from "./bytes-as-text.ts";

/**
 * Where what the store gave first differs from what the model expected, null if it does not. Bytes are the text of the model, and a
 * field of the store's that the model does not have is a difference.
 */
export function differenceOf(actual: unknown, expected: unknown, path = "answer"): string | null {
  if (actual instanceof Uint8Array && typeof expected === "string") {
    return textOf(actual) === expected ? null : `${path} is ${shown(textOf(actual))}, not ${shown(expected)}`;
  }
  if (actual instanceof Uint8Array && expected instanceof Uint8Array) return differenceOf(actual, textOf(expected), path);
  if (!isObject(actual) || !isObject(expected)) {
    return Object.is(actual, expected) ? null : `${path} is ${shown(actual)}, not ${shown(expected)}`;
  }
  const names = new Set([...Object.keys(actual), ...Object.keys(expected)]);
  for (const name of names) {
    const difference = differenceOf(actual[name], expected[name], `${path}.${name}`);
    if (difference !== null) return difference;
  }
  return null;
}

/** A subject as one line, bytes as text. */
export function shown(subject: unknown): string {
  const text = JSON.stringify(subject, (_name, field: unknown) => {
    if (typeof field === "bigint") return `${field}n`;
    return field instanceof Uint8Array ? textOf(field) : field;
  });
  return text === undefined ? String(subject) : text.slice(0, 500);
}

function isObject(subject: unknown): subject is Readonly<Record<string, unknown>> {
  return typeof subject === "object" && subject !== null;
}
