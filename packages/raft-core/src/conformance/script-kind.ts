import { basename, dirname } from "node:path";

/** What the directives of a file are about. */
export type ScriptKind = "interaction" | "quorum" | "confchange";

/** Told by the folder that the file is in; any other folder holds interactions of whole clusters. */
export function scriptKindOf(path: string): ScriptKind {
  const folder = basename(dirname(path));
  return folder === "quorum" || folder === "confchange" ? folder : "interaction";
}
