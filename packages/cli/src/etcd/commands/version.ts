import { readFileSync } from "node:fs";
import type { Verb } from "../verb.ts";

/** Of etcd's API that the verbs speak. */
const apiVersion = "3.4";

/** What `raftkv version` and `raftkv --version` print. */
export function versionText(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
  const version = typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "unknown";
  return `raftkv version: ${version}\nAPI version: ${apiVersion}`;
}

export const versionVerb: Verb<object> = {
  name: "version",
  usage: "[options]",
  summary: "print the version of this program",
  run: async ({ terminal }) => terminal.writeOut(`${versionText()}\n`),
};
