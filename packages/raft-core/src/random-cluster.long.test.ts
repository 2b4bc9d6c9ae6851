import { describeRandomClusters } from "./testing/random-cluster-suite.ts";

describeRandomClusters({ first: 201, count: 1_000, onlySeed: process.env["RAFT_SEED"] });
