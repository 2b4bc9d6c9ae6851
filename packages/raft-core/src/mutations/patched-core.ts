import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { runInThisContext } from "node:vm";
import { build, type Plugin } from "esbuild";
import type { coreOnTrial } from "./bundle-entry.ts";
import type { Edit } from "./mutation.ts";

export type CoreOnTrial = typeof coreOnTrial;

const sourceRoot = fileURLToPath(new URL("..", import.meta.url));

/** Bundles the core and its random clusters with some lines changed, and makes them run in this process. */
export async function patchedCore(edits: readonly Edit[]): Promise<CoreOnTrial> {
  const entry = `${sourceRoot}mutations/bundle-entry.ts`;
  const bundle = await build({
    entryPoints: [entry],
    bundle: true,
    format: "iife",
    globalName: "trial",
    platform: "neutral",
    write: false,
    plugins: [patch(edits)],
  });
  const program = `(() => { ${bundle.outputFiles[0]?.text ?? ""}; return trial.coreOnTrial; })()`;
  return runInThisContext(program) as CoreOnTrial;
}

/** How often the text to be replaced stands in its file. */
export async function occurrences({ file, find }: Edit): Promise<number> {
  return (await readFile(sourceRoot + file, "utf8")).split(find).length - 1;
}

function patch(edits: readonly Edit[]): Plugin {
  return {
    name: "patch",
    setup(pluginBuild) {
      pluginBuild.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const text = await readFile(path, "utf8");
        const contents = edits
          .filter(({ file }) => path === sourceRoot + file)
          .reduce((patched, { find, replace }) => patched.replace(find, () => replace), text);
        return { contents, loader: "ts" };
      });
    },
  };
}
