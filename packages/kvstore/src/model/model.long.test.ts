import { describeModelRuns } from "./model-suite.ts";

// More than a million steps.
describeModelRuns({ firstSeed: 1001, runs: 1_050, stepsPerRun: 1000, onlySeed: process.env["KVSTORE_MODEL_SEED"] });
