import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/** The source tree is tested like code: each test collects one sentence per finding, so that a failure names all of them. */

const root = fileURLToPath(new URL("..", import.meta.url));
const linesMax = 600;
/** Files that may be longer, each with the reason. */
const longFiles: ReadonlyMap<string, string> = new Map();

interface Ban {
  readonly pattern: RegExp;
  readonly instead: string;
  /** Where the ban holds. Default: every text file of the project. */
  readonly files?: RegExp;
  readonly except?: RegExp;
}

const testFile = /\.test\.ts$/;
/** They quote what is banned. */
const filesOfRules = /^tests\/(tidy|checks)\.test\.ts$/;
/** Where a clock, a timer or chance may be taken from the machine itself. */
const realPorts =
  /^packages\/(server\/src\/ports|raft-rpc\/src\/node|simulator|bench|cli)\/|^packages\/[^/]+\/src\/benchmark\/|\.test\.ts$/;
const packageSources = /^packages\/[^/]+\/src\/.*\.ts$/;

const bans: readonly Ban[] = [
  { pattern: /\b(FIXME|TODO|XXX|HACK)\b/, instead: "the work itself, or a sentence that says what is not there" },
  {
    pattern: /\bconsole\.(log|info|debug|warn|error)\(/,
    instead: "the Logger port",
    files: packageSources,
    except: /^packages\/(cli|bench)\/|\.test\.ts$/,
  },
  { pattern: /\bDate\.now\b|\bnew Date\(\)/, instead: "the Clock port", files: packageSources, except: realPorts },
  { pattern: /\bMath\.random\b/, instead: "the Random port", files: packageSources, except: realPorts },
  { pattern: /\bperformance\.now\b|\bprocess\.hrtime\b/, instead: "Clock.monotonicMs", files: packageSources, except: realPorts },
  { pattern: /\bset(Timeout|Interval|Immediate)\(/, instead: "the Clock port", files: packageSources, except: realPorts },
  { pattern: /\.only\(|\.todo\(/, instead: "a test that runs with the others", files: testFile },
  { pattern: /\b(test|it|describe)\.skip\(/, instead: "skipIf with a reason, or no test", files: testFile },
  { pattern: /\bvi\.(mock|doMock|spyOn|stubGlobal)\(/, instead: "the memory implementation", files: testFile },
  { pattern: /\bdebugger;/, instead: "nothing", files: /\.(ts|mjs|js)$/ },
  {
    pattern: /@ts-(ignore|nocheck|expect-error)|eslint-disable|oxlint-disable(?!-next-line \S+ -- \S)|biome-ignore (?!format: \S)/,
    instead: "code that passes, or one line with the rule and the reason",
    files: /\.(ts|mjs|js)$/,
  },
  { pattern: /^(<{7}|>{7}) /m, instead: "a merged file" },
  { pattern: /(^|[\s"'`(=:])\/(work|root|home|Users)\/[a-z]/, instead: "a path relative to the repository" },
  { pattern: /https?:\/\/(registry\.|npm\.|[a-z0-9.-]*artifact)/i, instead: "npm's own configuration of the machine" },
];

function git(...args: string[]): string[] {
  return execFileSync("git", args, { cwd: root, encoding: "utf8" }).split("\0").filter(Boolean);
}

/** Tracked files and new ones that git does not ignore. */
const files = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").filter((file) => existsSync(join(root, file)));
const binary = /\.(png|jpg|ico|snap|bin|gz)$/;
const foreign = /(^|\/)(testdata|generated)\/|^package-lock\.json$|^LICENSE$/;
const ownTextFiles = files.filter((file) => !binary.test(file) && !foreign.test(file));
const packageNames = [...new Set(files.flatMap((file) => /^packages\/([^/]+)\//.exec(file)?.[1] ?? []))];

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

/** 1-based line of the character at `offset`. */
function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

test("the tree that is tested is the whole one", () => {
  expect(packageNames).toEqual(expect.arrayContaining(["raft-core", "raft-node", "raft-rpc", "log-store", "kvstore", "server"]));
  expect(ownTextFiles.length).toBeGreaterThan(100);
});

test("no file holds a banned word", () => {
  const findings: string[] = [];
  for (const file of ownTextFiles.filter((name) => !filesOfRules.test(name))) {
    const text = read(file);
    for (const { pattern, instead, files: where, except } of bans) {
      if ((where !== undefined && !where.test(file)) || except?.test(file)) continue;
      const found = pattern.exec(text);
      if (found !== null) findings.push(`${file}:${lineAt(text, found.index)}: ${found[0].trim()}, use ${instead}`);
    }
  }
  expect(findings).toEqual([]);
});

test(`no source file is longer than ${linesMax} lines`, () => {
  const findings: string[] = [];
  for (const file of ownTextFiles.filter((name) => /\.(ts|mjs|js|proto|sh)$/.test(name))) {
    const count = read(file).split("\n").length - 1;
    if (count > linesMax && !longFiles.has(file)) findings.push(`${file}: ${count} lines`);
    if (count <= linesMax && longFiles.has(file)) findings.push(`${file}: ${count} lines, is no longer an exception`);
  }
  for (const file of longFiles.keys()) if (!files.includes(file)) findings.push(`${file}: is an exception, but does not exist`);
  expect(findings).toEqual([]);
});

test("nothing is left over", () => {
  const findings: string[] = [];
  for (const file of files) {
    if (/\.(orig|rej|tmp|bak|swp|log)$|~$|(^|\/)\.DS_Store$/.test(file)) findings.push(`${file}: a leftover`);
    if (/\.tsbuildinfo$|(^|\/)(dist|node_modules|coverage)\//.test(file)) findings.push(`${file}: a build result`);
  }
  for (const file of ownTextFiles) {
    const text = read(file);
    if (text.trim() === "") findings.push(`${file}: is empty`);
    if (/^\s*export \{\};?\s*$/.test(text)) findings.push(`${file}: exports nothing`);
  }
  expect(findings).toEqual([]);
});

test("files have kebab-case names that say what they hold", () => {
  const findings: string[] = [];
  for (const file of files.filter((name) => /^(packages\/[^/]+\/(src|bin)|scripts|tests)\//.test(name) && !foreign.test(name))) {
    for (const part of file.split("/").slice(1)) {
      const stem = part.replace(/(\.(property|conformance|contract|long))?(\.test)?\.[a-z0-9]+$/, "");
      if (part !== "README.md" && !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(stem)) findings.push(`${file}: ${part} is not kebab-case`);
      if (/^(utils?|helpers?|common|misc|shared)$/.test(stem)) findings.push(`${file}: ${stem} says nothing`);
    }
  }
  expect(findings).toEqual([]);
});

interface Manifest {
  readonly name?: string;
  readonly private?: boolean;
  readonly description?: string;
  readonly license?: string;
  readonly type?: string;
  readonly engines?: { readonly node?: string };
  readonly files?: readonly string[];
  readonly exports?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

function manifest(file: string): Manifest {
  return JSON.parse(read(file)) as Manifest;
}

/** What an entry point of a package has to look like; tools read the sources, Node the build. */
function entryFindings(name: string, entry: string, conditions: Readonly<Record<string, string>>): string[] {
  const source = conditions["@raftkv/source"] ?? "";
  if (!/^\.\/src\/.*\.ts$/.test(source) || !existsSync(join(root, "packages", name, source))) return [`${entry} has no source ${source}`];
  const built = source.replace(/^\.\/src\//, "./dist/").replace(/\.ts$/, "");
  const expected = { "@raftkv/source": source, types: `${built}.d.ts`, default: `${built}.js` };
  return JSON.stringify(conditions) === JSON.stringify(expected) ? [] : [`${entry} is not ${JSON.stringify(expected)}`];
}

test("every package has a README, a complete package.json and an entry point", () => {
  const engine = manifest("package.json").engines?.node;
  const findings: string[] = [];
  for (const name of packageNames) {
    const path = `packages/${name}`;
    const own = files.filter((file) => file.startsWith(`${path}/`));
    const say = (finding: string): number => findings.push(`${path}: ${finding}`);
    for (const file of ["README.md", "package.json", "tsconfig.json"]) if (!own.includes(`${path}/${file}`)) say(`no ${file}`);
    if (!own.some((file) => testFile.test(file)) && name !== "bench") say("no test");
    if (!own.includes(`${path}/package.json`)) continue;

    const found = manifest(`${path}/package.json`);
    if (found.name !== `@raftkv/${name}`) say(`its name is ${String(found.name)}`);
    if (found.license !== "Apache-2.0") say("its license is not Apache-2.0");
    if (found.type !== "module") say("its type is not module");
    if (found.engines?.node !== engine) say(`its engine is not ${String(engine)}`);
    if (!found.description) say("no description");
    if (!found.files?.includes("dist")) say("files does not name dist, which the tarball would miss");
    if (found.exports === undefined && found.bin === undefined && name !== "bench") say("neither exports nor bin");
    for (const [entry, conditions] of Object.entries(found.exports ?? {})) entryFindings(name, entry, conditions).forEach(say);
    for (const program of Object.values(found.bin ?? {})) {
      if (!own.includes(normalize(`${path}/${program}`))) say(`bin ${program} does not exist`);
    }
  }
  expect(findings).toEqual([]);
});

test("dependencies have exact versions, ours the version of the workspace, and pure packages have none", () => {
  const findings: string[] = [];
  for (const file of ["package.json", ...packageNames.map((name) => `packages/${name}/package.json`)]) {
    const { dependencies = {}, devDependencies = {}, optionalDependencies = {} } = manifest(file);
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
      if (!/^\d+\.\d+\.\d+$/.test(version)) findings.push(`${file}: ${name} ${version} is not an exact version`);
    }
    if (/raft-core|kvstore/.test(file) && Object.keys(dependencies).length > 0) findings.push(`${file}: a pure package has dependencies`);
  }
  expect(findings).toEqual([]);
});

test("every package is a project of the build, and its references are its dependencies", () => {
  interface Project {
    readonly references?: readonly { readonly path: string }[];
  }
  const referencesOf = (file: string): string[] => {
    const { references = [] } = JSON.parse(read(file)) as Project;
    return references.map(({ path }) => path.split("/").at(-1) ?? path).sort();
  };
  expect(referencesOf("tsconfig.json")).toEqual([...packageNames].sort());
  for (const name of packageNames) {
    const { dependencies = {} } = manifest(`packages/${name}/package.json`);
    const ours = Object.keys(dependencies).flatMap((dependency) => /^@raftkv\/(.+)$/.exec(dependency)?.[1] ?? []);
    expect(referencesOf(`packages/${name}/tsconfig.json`), `references of ${name}`).toEqual(ours.sort());
  }
});

test("the lockfile names no address", () => {
  const addresses = [...read("package-lock.json").matchAll(/"resolved": "([a-z+]+:[^"]*)"/g)].map((found) => found[1]);
  expect(addresses).toEqual([]);
});

test("every script that npm runs exists", () => {
  const findings: string[] = [];
  for (const [name, command] of Object.entries(manifest("package.json").scripts ?? {})) {
    const script = /^(?:exec )?node (\S+)/.exec(command)?.[1];
    if (script !== undefined && !files.includes(script)) findings.push(`npm run ${name}: ${script} does not exist`);
  }
  expect(findings).toEqual([]);
});

/** GitHub's anchor of a heading. */
function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");
}

test("every relative link of the documents leads somewhere", () => {
  const findings: string[] = [];
  for (const file of ownTextFiles.filter((name) => name.endsWith(".md"))) {
    const prose = read(file).replace(/^```[\s\S]*?^```/gm, "");
    for (const [, target = ""] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path = "", anchor] = target.split("#");
      const linked = path === "" ? file : normalize(join(dirname(file), path)).replace(/\/$/, "");
      if (!existsSync(join(root, linked))) findings.push(`${file}: ${target} does not exist`);
      else if (anchor !== undefined && linked.endsWith(".md")) {
        const anchors = [...read(linked).matchAll(/^#+ (.+)$/gm)].map((heading) => anchorOf(heading[1] ?? ""));
        if (!anchors.includes(anchor)) findings.push(`${file}: ${linked} has no heading #${anchor}`);
      }
    }
  }
  expect(findings).toEqual([]);
});

test("decision records are numbered without a gap, have the same parts and stand in the index", () => {
  const records = files.flatMap((file) => /^docs\/decisions\/(\d{4}-[a-z0-9-]+\.md)$/.exec(file)?.[1] ?? []).sort();
  expect(records.length).toBeGreaterThan(0);
  expect(records.map((record) => Number(record.slice(0, 4)))).toEqual(records.map((_, offset) => offset + 1));
  const index = read("docs/decisions/README.md");
  for (const record of records) {
    const text = read(`docs/decisions/${record}`);
    const title = /^# (.+)$/m.exec(text)?.[1] ?? "";
    expect(title, record).toMatch(new RegExp(`^${record.slice(0, 4)} `));
    expect(
      [...text.matchAll(/^## (.+)$/gm)].map((heading) => heading[1]),
      record,
    ).toEqual(["Context", "Options", "Decision", "What would change it"]);
    expect(index, `the index names ${record}`).toContain(`[${title}](${record})`);
  }
});

test("every package that runs with RaftKV has a decision record", () => {
  const decisions = files
    .filter((file) => /^docs\/decisions\/\d{4}/.test(file))
    .map(read)
    .join("\n");
  const findings = packageNames.flatMap((name) => {
    const { dependencies = {}, optionalDependencies = {} } = manifest(`packages/${name}/package.json`);
    return Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((dependency) => !dependency.startsWith("@raftkv/") && !decisions.includes(`\`${dependency}\``))
      .map((dependency) => `${name}: ${dependency} has no decision record`);
  });
  expect(findings).toEqual([]);
});
