import { readFileSync } from "node:fs";
import type { Verb } from "../verb.ts";

/** Of etcd's API that the verbs speak. */
const apiVersion = "3.4";

export const versionVerb: Verb<object> = {
  name: "version",
  usage: "[options]",
  summary: "print the version of this program",
  run: async ({ terminal }) => {
    const manifest: unknown = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
    const version = typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "unknown";
    terminal.writeOut(`raftkv version: ${version}\nAPI version: ${apiVersion}\n`);
  },
};
