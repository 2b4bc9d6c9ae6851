// Imports point one way only. A package that is not in the table may not exist; a package that is not in a row may not be imported there.
const mayImport = {
  "raft-core": [],
  kvstore: [],
  "raft-rpc": [],
  "raft-node": ["raft-core"],
  "log-store": ["raft-node", "raft-core"],
  api: ["raft-rpc", "raft-core"],
  client: ["api", "raft-rpc"],
  server: ["raft-node", "raft-core", "log-store", "kvstore", "api", "raft-rpc"],
  cli: ["client", "api", "server"],
  bench: ["client", "api", "raft-rpc", "raft-core", "raft-node", "log-store", "kvstore", "server"],
  simulator: ["raft-core", "kvstore", "raft-rpc", "raft-node", "log-store", "api", "client", "server"],
};

const anyOf = (names) => `(${names.join("|")})`;
/** Tests, and what exists for tests: fixtures, and the suites that an owner of an interface exports. */
const testCode = ["[.]test[.]ts$", "/src/(testing|conformance|mutations|benchmark|storage-faults|sweeps|crash-states|fuzz)/"];

const directions = Object.entries(mayImport).map(([name, allowed]) => ({
  name: `${name}-imports-only-below`,
  comment: `packages/${name} may import ${allowed.length === 0 ? "no other package of ours" : allowed.join(", ")}`,
  severity: "error",
  from: { path: `^packages/${name}/` },
  to: { path: "^(packages|tests)/", pathNot: `^packages/${anyOf([name, ...allowed])}/` },
}));

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    ...directions,
    {
      name: "package-is-in-the-table",
      comment: "a new package needs a row in .dependency-cruiser.mjs",
      severity: "error",
      from: { path: "^packages/", pathNot: `^packages/${anyOf(Object.keys(mayImport))}/` },
      to: {},
    },
    {
      name: "types-only-from-raft-core",
      comment: "log-store and api know the shapes of raft-core, never its behaviour",
      severity: "error",
      from: { path: "^packages/(log-store|api)/", pathNot: testCode },
      to: { path: "^packages/raft-core/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "server-only-from-its-commands",
      comment: "only `raftkv server`, `raftkv cluster`, `raftkv check-data` and `raftkv snapshot` load the server",
      severity: "error",
      from: { path: "^packages/cli/", pathNot: "/(server|cluster|check-data|snapshot-file)[^/]*[.]ts$" },
      to: { path: "^packages/server/" },
    },
    {
      name: "only-what-exports-names",
      comment: "other packages are imported by name, never by a file of theirs",
      severity: "error",
      from: { path: "^packages/([^/]+)/" },
      to: {
        path: "^packages/([^/]+)/",
        pathNot: ["^packages/$1/", "^packages/[^/]+/src/index[.]ts$", "^packages/[^/]+/src/testing/index[.]ts$"],
      },
    },
    {
      name: "not-through-its-own-index",
      comment: "a package's own files import each other directly",
      severity: "error",
      from: { path: "^packages/([^/]+)/src/", pathNot: testCode },
      to: { path: "^packages/$1/src/index[.]ts$" },
    },
    {
      name: "no-cycle",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "pure-packages-import-nothing",
      comment: "raft-core and kvstore run where Node does not exist",
      severity: "error",
      from: { path: "^packages/(raft-core|kvstore)/src/", pathNot: testCode },
      to: { pathNot: "^packages/(raft-core|kvstore)/src/" },
    },
    {
      name: "no-test-in-the-product",
      severity: "error",
      from: { path: "^packages/", pathNot: testCode },
      to: { path: testCode },
    },
    {
      name: "only-declared-packages",
      comment: "npm hoists, so an undeclared package resolves here and is missing for a user; what only bench compares with, no user needs",
      severity: "error",
      from: { path: "^packages/", pathNot: [...testCode, "^packages/bench/"] },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"] },
    },
    {
      name: "everything-resolves",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    // `import type` vanishes when compiled; it counts here.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.tests.json" },
    // Workspace links lead to the sources of the other package instead of its build.
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["@raftkv/source", "import", "node", "default"],
      extensions: [".ts", ".js", ".mjs", ".json"],
    },
    doNotFollow: { path: "node_modules" },
    exclude: { path: ["/dist/", "/generated/"] },
  },
};
