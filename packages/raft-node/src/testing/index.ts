export { type ClockFixture, describeClock } from "./clock-suite.ts";
export { ConnectionRecorder } from "./connection-recorder.ts";
export { type DiskFixture, describeDisk } from "./disk-suite.ts";
export { describeLogStore, type LogStoreFixture } from "./log-store-suite.ts";
export { describeNetwork, type NetworkFixture } from "./network-suite.ts";
