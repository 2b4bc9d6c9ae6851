import { type DescField, type DescFile, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { file_authpb_auth } from "./generated/authpb/auth_pb.ts";
import { file_etcdserverpb_auth } from "./generated/etcdserverpb/auth_pb.ts";
import { file_etcdserverpb_cluster } from "./generated/etcdserverpb/cluster_pb.ts";
import { file_etcdserverpb_header } from "./generated/etcdserverpb/header_pb.ts";
import { file_etcdserverpb_kv } from "./generated/etcdserverpb/kv_pb.ts";
import { file_etcdserverpb_lease } from "./generated/etcdserverpb/lease_pb.ts";
import { file_etcdserverpb_maintenance } from "./generated/etcdserverpb/maintenance_pb.ts";
import { file_etcdserverpb_watch } from "./generated/etcdserverpb/watch_pb.ts";
import { file_grpc_health_v1_health } from "./generated/grpc/health/v1/health_pb.ts";
import { file_mvccpb_kv } from "./generated/mvccpb/kv_pb.ts";
import { file_raftkv_command_v1_command } from "./generated/raftkv/command/v1/command_pb.ts";
import { file_raftkv_peer_v1_peer } from "./generated/raftkv/peer/v1/peer_pb.ts";
import { file_raftkv_state_v1_state } from "./generated/raftkv/state/v1/state_pb.ts";
import { file_raftkv_v1_raftkv } from "./generated/raftkv/v1/raftkv_pb.ts";
import { file_v3electionpb_election } from "./generated/v3electionpb/election_pb.ts";
import { file_v3lockpb_lock } from "./generated/v3lockpb/lock_pb.ts";

const files: readonly DescFile[] = [
  file_authpb_auth,
  file_etcdserverpb_auth,
  file_etcdserverpb_cluster,
  file_etcdserverpb_header,
  file_etcdserverpb_kv,
  file_etcdserverpb_lease,
  file_etcdserverpb_maintenance,
  file_etcdserverpb_watch,
  file_grpc_health_v1_health,
  file_mvccpb_kv,
  file_raftkv_command_v1_command,
  file_raftkv_peer_v1_peer,
  file_raftkv_state_v1_state,
  file_raftkv_v1_raftkv,
  file_v3electionpb_election,
  file_v3lockpb_lock,
];

test("packages, names and numbers are the ones that are written down", async () => {
  const lines = files.flatMap(describeFile).sort();
  await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot("./wire-names.txt");
});

function describeFile(file: DescFile): string[] {
  const enums = [...file.enums, ...file.messages.flatMap((message) => message.nestedEnums)];
  return [
    ...file.messages.map(describeMessage),
    ...enums.map((type) => `enum ${type.typeName} ${type.values.map((value) => `${value.name}=${value.number}`).join(" ")}`),
    ...file.services.flatMap((service) =>
      service.methods.map(
        (method) => `rpc /${service.typeName}/${method.name} ${method.methodKind} ${method.input.typeName} ${method.output.typeName}`,
      ),
    ),
  ];
}

function describeMessage(message: DescMessage): string {
  const fields = message.fields.map((field) => `${field.name}=${field.number} ${fieldType(field)}`);
  return `message ${[message.typeName, ...fields].join("; ")}`;
}

function fieldType(field: DescField): string {
  const oneof = field.oneof === undefined ? "" : `oneof ${field.oneof.name} `;
  const type =
    field.message?.typeName ?? field.enum?.typeName ?? (field.scalar === undefined ? "?" : ScalarType[field.scalar].toLowerCase());
  return `${oneof}${field.fieldKind === "list" ? "repeated " : ""}${type}`;
}
