import { create } from "@bufbuild/protobuf";
import type { RequestOf, ResponseOf, ServiceDefinition } from "@raftkv/raft-rpc";
import { expect, expectTypeOf, test } from "vitest";
import type { PutRequest, RangeResponse } from "../codec/etcd-message.ts";
import type { PeerFrame } from "../codec/peer-frame.ts";
import { type AlarmRequest, AlarmRequest_AlarmAction, AlarmRequestSchema, AlarmType } from "../generated/etcdserverpb/maintenance_pb.ts";
import { Watch, type WatchResponse } from "../generated/etcdserverpb/watch_pb.ts";
import { authService, clusterService, kvService, leaseService, maintenanceService, watchService } from "./etcd-services.ts";
import { raftKvService, raftPeerService } from "./raftkv-services.ts";
import { serviceFromDescriptor } from "./service-from-descriptor.ts";

test("a service is described with its names on the wire and its local names", () => {
  const { typeName, methods } = serviceFromDescriptor(Watch);
  expect(typeName).toBe("etcdserverpb.Watch");
  expect(Object.keys(methods)).toEqual(["watch"]);
  expect(methods.watch.name).toBe("Watch");
});

test("the kind of a method comes from its streams", () => {
  expect(kvService.methods.range.kind).toBe("unary");
  expect(maintenanceService.methods.snapshot.kind).toBe("serverStreaming");
  expect(raftPeerService.methods.installSnapshot.kind).toBe("clientStreaming");
  expect(watchService.methods.watch.kind).toBe("bidirectional");
});

test("a message goes to bytes and back", () => {
  const { request } = maintenanceService.methods.alarm;
  const message = create(AlarmRequestSchema, {
    action: AlarmRequest_AlarmAction.ACTIVATE,
    memberID: 2n ** 64n - 1n,
    alarm: AlarmType.NOSPACE,
  });
  expect(request.decode(request.encode(message))).toEqual(message);
});

test("hot methods carry plain objects, both ways", () => {
  const { request, response } = kvService.methods.put;
  const put = { key: new Uint8Array([1]), value: new Uint8Array([2]), lease: -7n, prevKv: true, ignoreValue: false, ignoreLease: false };
  expect(request.decode(request.encode(put))).toEqual(put);
  const answer = { header: { clusterId: 1n, memberId: 2n, revision: 3, raftTerm: 4 }, prevKv: null };
  expect(response.decode(response.encode(answer))).toEqual(answer);
});

test("every service is one that raft-rpc can serve, and its types are known", () => {
  const services: readonly ServiceDefinition[] = [
    authService,
    clusterService,
    kvService,
    leaseService,
    maintenanceService,
    raftKvService,
    raftPeerService,
    watchService,
  ];
  expect(services.map((service) => Object.keys(service.methods).length)).toEqual([17, 5, 6, 5, 8, 4, 5, 1]);
  expectTypeOf<RequestOf<typeof kvService.methods.put>>().toEqualTypeOf<PutRequest>();
  expectTypeOf<ResponseOf<typeof kvService.methods.range>>().toEqualTypeOf<RangeResponse>();
  expectTypeOf<RequestOf<typeof maintenanceService.methods.alarm>>().toEqualTypeOf<AlarmRequest>();
  expectTypeOf<ResponseOf<typeof watchService.methods.watch>>().toEqualTypeOf<WatchResponse>();
  expectTypeOf<RequestOf<typeof raftPeerService.methods.exchange>>().toEqualTypeOf<PeerFrame>();
  expectTypeOf<(typeof watchService.methods.watch)["kind"]>().toEqualTypeOf<"bidirectional">();
});
