import { unquoteText } from "./quoted-text.ts";

const word = /"(?:[^"\\]|\\.)*"|'[^']*'|[^'"\s]\S*/g;

/**
 * Takes a line apart as etcdctl does, which is simpler than a shell: words in double quotes with escapes, in single quotes as they are, or
 * without quotes up to the next space. Throws ProgramError.
 */
export function splitArguments(line: string): readonly string[] {
  return (line.match(word) ?? []).map((part) => {
    if (part.startsWith('"')) return unquoteText(part);
    return part.startsWith("'") ? part.slice(1, -1) : part;
  });
}
