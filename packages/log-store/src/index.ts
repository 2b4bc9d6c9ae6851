export { crc32c } from "./crc32c.ts";
export { inspectDataDirectory } from "./data-inspection.ts";
export type { DataOutcome, DataReport, FileKind, FileReport, FileVerdict, LogReport, MetaReport } from "./data-report.ts";
export { readIdentity } from "./directory-identity.ts";
export type { Identity } from "./format.ts";
export { LogStoreError, type LogStoreErrorCode } from "./log-store-error.ts";
export { type LogStoreOptions, openLogStore } from "./open-log-store.ts";
