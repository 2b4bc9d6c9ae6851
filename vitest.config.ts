import { defineConfig } from "vitest/config";

const sources = { resolve: { conditions: ["@raftkv/source"] }, ssr: { resolve: { conditions: ["@raftkv/source"] } } };

/** A test that waits longer for something hangs: no limit is there to tell a fast machine from a slow one that has other work. */
const patience = { hookTimeout: 180_000, expect: { poll: { timeout: 60_000, interval: 10 } } };

export default defineConfig({
  test: {
    // Each with a group of its own: how many files run side by side differs between them.
    projects: [
      {
        ...sources,
        test: {
          name: "unit",
          sequence: { groupOrder: 0 },
          include: ["packages/*/src/**/*.test.ts"],
          exclude: ["**/*.long.test.ts"],
          pool: "threads",
          isolate: false,
          setupFiles: ["tests/support/leak-check.ts"],
          testTimeout: 180_000,
          ...patience,
        },
      },
      {
        // Sweeps and searches whose worth is in their number.
        ...sources,
        test: {
          name: "long",
          sequence: { groupOrder: 2 },
          include: ["packages/*/src/**/*.long.test.ts", "tests/**/*.long.test.ts"],
          pool: "forks",
          // Each keeps a core busy for minutes, and two cores are what there is at least.
          maxWorkers: 2,
          setupFiles: ["tests/support/leak-check.ts"],
          testTimeout: 1_200_000,
          ...patience,
        },
      },
      {
        ...sources,
        test: {
          name: "system",
          sequence: { groupOrder: 1 },
          include: ["tests/**/*.test.ts"],
          exclude: ["**/*.long.test.ts"],
          pool: "forks",
          fileParallelism: false,
          setupFiles: ["tests/support/leak-check.ts"],
          testTimeout: 300_000,
          ...patience,
        },
      },
    ],
  },
});
