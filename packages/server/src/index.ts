export { type DataOutcome, type DataReport, type FileReport, LogStoreError } from "@raftkv/log-store";
export { ConfigError } from "./config/config-error.ts";
export { type MemberConfig, memberConfig } from "./config/member-config.ts";
export { readOptions } from "./config/option-source.ts";
export { checkData, isWrongDirectory } from "./data-check.ts";
export { Member, type MemberOptions } from "./member.ts";
export { nodePorts } from "./ports/node-ports.ts";
export { runServer, serverHelp, serverVersion } from "./server-process.ts";
export { SnapshotFileError } from "./snapshot-file/snapshot-file-format.ts";
export {
  inspectSnapshotFile,
  readSnapshotFile,
  type SnapshotFile,
  type SnapshotFileSummary,
} from "./snapshot-file/snapshot-file-reader.ts";
export { restoreSnapshot, type SnapshotRestoreOptions } from "./snapshot-file/snapshot-restore.ts";
