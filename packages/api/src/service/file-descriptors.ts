import { type DescFile, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { clientServices } from "./client-services.ts";

/** `google.protobuf.FileDescriptorProto` of every file that describes what clients can call, for server reflection. */
export function clientFileDescriptors(): readonly Uint8Array[] {
  const files = new Set<DescFile>(clientServices.map(({ file }) => file));
  // A set hands out also what is added while it is read.
  for (const { dependencies } of files) for (const dependency of dependencies) files.add(dependency);
  return Array.from(files, ({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
}
