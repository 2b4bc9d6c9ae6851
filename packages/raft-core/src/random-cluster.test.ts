import { describeRandomClusters } from "./testing/random-cluster-suite.ts";

describeRandomClusters({ first: 1, count: 200, onlySeed: process.env["RAFT_SEED"] });
