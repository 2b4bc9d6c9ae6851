import { describeModelRuns } from "./model-suite.ts";

describeModelRuns({ firstSeed: 1, runs: 20, stepsPerRun: 1000, onlySeed: process.env["KVSTORE_MODEL_SEED"] });
