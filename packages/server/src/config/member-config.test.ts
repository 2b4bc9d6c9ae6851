import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { memberConfig } from "./member-config.ts";
import { readOptions, unknownVariables } from "./option-source.ts";
import { serverOptions } from "./options.ts";

const configure = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  memberConfig(readOptions(args, environment));

const threeMembers = [
  "--name=n1",
  "--initial-advertise-peer-urls=http://127.0.0.1:2380",
  "--listen-peer-urls=http://127.0.0.1:2380",
  "--initial-cluster=n1=http://127.0.0.1:2380,n2=http://127.0.0.1:22380,n3=http://127.0.0.1:32380",
];

describe("the configuration of a member", () => {
  test("has etcd's defaults", () => {
    const config = configure([]);
    expect(config).toMatchObject({
      name: "default",
      dataDir: "default.etcd",
      initialClusterToken: "etcd-cluster",
      initialClusterState: "new",
      heartbeatMs: 100,
      electionMs: 1000,
      snapshotCount: 100_000,
      logLevel: "info",
      maxRequestBytes: 1_572_864,
      maxLeases: 1_000_000,
    });
    expect(config.listenClientUrls.map((url) => url.href)).toEqual(["http://localhost:2379"]);
    expect(config.initialCluster).toEqual([
      { name: "default", peerUrls: [{ host: "localhost", port: 2380, href: "http://localhost:2380" }] },
    ]);
  });

  test("takes flags in all three forms and variables", () => {
    const config = configure(["--name", "n1", "--heartbeat-interval=50", "-election-timeout", "500"], { ETCD_SNAPSHOT_COUNT: "7" });
    expect(config).toMatchObject({ name: "n1", dataDir: "n1.etcd", heartbeatMs: 50, electionMs: 500, snapshotCount: 7 });
  });

  test("knows how the client port treats its clients", () => {
    expect(configure([]).clientPort).toEqual({
      limits: { concurrentStreamsMax: 1000, pingIntervalMinMs: 5_000, keepaliveMs: 7_200_000, keepaliveTimeoutMs: 20_000 },
      connections: {
        max: 10_000,
        perAddressMax: 10_000,
        faultRate: { burst: 50, perSecond: 5 },
        delayMaxMs: 1_000,
        idleMs: Number.POSITIVE_INFINITY,
        ageMs: Number.POSITIVE_INFINITY,
      },
      http: { gateway: true, corsOrigins: ["*"], hosts: ["*"] },
      measuresCalls: false,
      listenMetricsUrls: [],
    });
    expect(configure(["--metrics=extensive"]).clientPort.measuresCalls).toBe(true);
    const metrics = configure(["--listen-metrics-urls=http://127.0.0.1:9090,http://127.0.0.1:9091"]).clientPort.listenMetricsUrls;
    expect(metrics.map(({ port }) => port)).toEqual([9090, 9091]);
    const flags = ["--max-connection-age=1h30m", "--grpc-keepalive-interval=0", "--cors=https://a.example, https://b.example"];
    const { connections, limits, http } = configure([...flags, "--enable-grpc-gateway=false"]).clientPort;
    expect([connections.ageMs, limits.keepaliveMs]).toEqual([5_400_000, Number.POSITIVE_INFINITY]);
    expect(http).toEqual({ gateway: false, corsOrigins: ["https://a.example", "https://b.example"], hosts: ["*"] });
  });

  test("knows how long the client port lets addresses wait that connect for nothing", () => {
    const flags = ["--max-connection-faults=7", "--max-connection-faults-per-second=2", "--max-connection-delay=250ms"];
    expect(configure(flags).clientPort.connections).toMatchObject({ faultRate: { burst: 7, perSecond: 2 }, delayMaxMs: 250 });
    const environment = { ETCD_MAX_CONNECTION_FAULTS: "0", ETCD_MAX_CONNECTION_DELAY: "1m" };
    expect(unknownVariables(environment)).toEqual([]);
    expect(configure([], environment).clientPort.connections).toMatchObject({
      faultRate: { burst: Number.POSITIVE_INFINITY, perSecond: 5 },
      delayMaxMs: 60_000,
    });
  });

  test("takes a switch alone", () => {
    expect(configure(["--enable-grpc-gateway", "--name=a"])).toMatchObject({ name: "a", clientPort: { http: { gateway: true } } });
  });

  test("groups the URLs of a member and keeps the order of members", () => {
    const config = configure([
      "--name=n1",
      "--initial-advertise-peer-urls=http://127.0.0.1:1,http://127.0.0.1:2",
      "--initial-cluster=n1=http://127.0.0.1:1,n2=http://127.0.0.1:3,n1=http://127.0.0.1:2",
    ]);
    expect(config.initialCluster.map((member) => [member.name, member.peerUrls.length])).toEqual([
      ["n1", 2],
      ["n2", 1],
    ]);
  });

  test.each<[string, readonly string[], RegExp]>([
    ["an unknown flag", ["--nonsense", "1"], /unknown flag --nonsense, see raftkv server --help/],
    ["a stray word", ["n1"], /unexpected argument "n1"/],
    ["a flag without its value", ["--name"], /--name needs a value/],
    ["a flag that is given twice", ["--name=a", "--name=b"], /--name is given twice/],
    ["a URL without a port", ["--listen-peer-urls=http://127.0.0.1"], /"http:\/\/127.0.0.1" has no port/],
    ["a URL without a scheme", ["--listen-peer-urls=127.0.0.1:2380"], /"127.0.0.1:2380" is not a URL/],
    ["a URL with a path", ["--listen-peer-urls=http://127.0.0.1:2380/x"], /has a path/],
    ["a port that is none", ["--listen-peer-urls=http://127.0.0.1:99999"], /ports go from 1 to 65535/],
    ["https", ["--listen-peer-urls=https://127.0.0.1:2380"], /only http is supported so far/],
    ["a host name to listen on", ["--listen-peer-urls=http://example.com:2380"], /needs an IP address or localhost/],
    ["a host name to serve metrics on", ["--listen-metrics-urls=http://example.com:1"], /--listen-metrics-urls: .* needs an IP address/],
    ["faults that are no number", ["--max-connection-faults=-1"], /--max-connection-faults "-1" is not a whole number/],
    [
      "faults that are never forgiven",
      ["--max-connection-faults-per-second=0"],
      /--max-connection-faults-per-second 0 is not between 1 and/,
    ],
    ["no delay", ["--max-connection-delay=0"], /--max-connection-delay 0 is not between 1ms and 1m/],
    ["a delay that nobody waits for", ["--max-connection-delay=61s"], /--max-connection-delay 61s is not between 1ms and 1m/],
    ["the same URL twice", ["--listen-peer-urls=http://127.0.0.1:1,http://127.0.0.1:1"], /http:\/\/127.0.0.1:1 is given twice/],
    ["client URLs that nobody is told", ["--listen-client-urls=http://127.0.0.1:2379"], /--advertise-client-urls is required/],
    ["a name that is not in the cluster", [...threeMembers.slice(1), "--name=n9"], /names n1, n2, n3 but not this member "n9"/],
    [
      "peer URLs that contradict the cluster",
      [...threeMembers.slice(0, 1), ...threeMembers.slice(3), "--initial-advertise-peer-urls=http://127.0.0.1:9"],
      /they must be the same/,
    ],
    [
      "a peer URL of two members",
      ["--name=a", "--initial-cluster=a=http://127.0.0.1:1,b=http://127.0.0.1:1"],
      /a peer URL belongs to one member/,
    ],
    ["a cluster without names", ["--initial-cluster=http://127.0.0.1:2380"], /is not name=url/],
    ["an election time-out below five heartbeats", ["--heartbeat-interval=300"], /less than 5 times --heartbeat-interval 300 ms/],
    ["a number that is none", ["--snapshot-count=many"], /--snapshot-count "many" is not a whole number/],
    ["a number out of range", ["--election-timeout=60000"], /--election-timeout 60000 is not between 1 and 50000/],
    ["an unknown level", ["--log-level=loud"], /--log-level "loud" is none of debug, info, warn, error/],
    ["an unknown cluster state", ["--initial-cluster-state=old"], /"old" is none of new, existing/],
    ["a duration that is none", ["--max-connection-age=soon"], /--max-connection-age "soon" is not a duration, give one like 10s/],
    ["a duration without a unit", ["--grpc-keepalive-timeout=20"], /"20" is not a duration/],
    ["metrics of a kind that is not there", ["--metrics=all"], /--metrics "all" is none of basic, extensive/],
    ["a switch that is neither on nor off", ["--enable-grpc-gateway=maybe"], /"maybe" is none of true, false/],
    ["a list with a hole", ["--cors=https://a.example,,"], /has an empty item/],
    ["an empty name", ["--name="], /--name is empty/],
    ["an empty directory", ["--data-dir="], /--data-dir is empty/],
  ])("refuses %s", (_what, args, message) => {
    expect(() => configure(args)).toThrow(message);
  });

  test("refuses a setting that is both a flag and a variable, as etcd does", () => {
    expect(() => configure(["--name=a"], { ETCD_NAME: "b" })).toThrow('conflicting environment variable "ETCD_NAME" is shadowed');
  });

  test("names the variables that it does not know", () => {
    expect(unknownVariables({ ETCD_NAME: "a", ETCD_UNHEARD_OF: "1", PATH: "/bin" })).toEqual(["ETCD_UNHEARD_OF"]);
  });
});

test("the page about HTTP names every option of the client port, and none that is not there", () => {
  const page = readFileSync(new URL("../../../../docs/http.md", import.meta.url), "utf8");
  const named = new Set(Array.from(page.matchAll(/`--([a-z-]+)`/g), ([, flag]) => flag));
  const flags: readonly string[] = serverOptions.map(({ flag }) => flag);
  expect(flags).toEqual(expect.arrayContaining([...named]));
  const ofTheClientPort = flags.filter((flag) => /^(max-c|grpc-|enable-grpc|cors|host-)/.test(flag));
  expect([...named]).toEqual(expect.arrayContaining(ofTheClientPort));
});
