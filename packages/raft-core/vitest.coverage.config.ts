import { defineConfig } from "vitest/config";

/**
 * `npm run coverage -w packages/raft-core`: how much of the core is run by tests that say what they expect of it. Random clusters, hostile
 * peers, planted bugs and the reference's scripts run nearly everything and are left out: what only they reach is not covered.
 */
export default defineConfig({
  resolve: { conditions: ["@raftkv/source"] },
  test: {
    include: ["src/**/*.test.ts"],
    exclude: ["src/random-cluster*.test.ts", "src/hostile-peers.test.ts", "src/conformance/**", "src/mutations/**"],
    pool: "threads",
    isolate: false,
    testTimeout: 60_000,
    coverage: {
      enabled: true,
      provider: "v8",
      include: ["src/**/*.ts"],
      exclude: ["src/**/*.test.ts", "src/testing/**", "src/conformance/**", "src/mutations/**", "src/benchmark/**"],
      reporter: ["text"],
      thresholds: { lines: 97, branches: 97, functions: 97, statements: 97 },
    },
  },
});
