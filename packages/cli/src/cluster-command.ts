import { existsSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type Command, Option } from "commander";
import { parseWholeNumber } from "./client-flags.ts";
import { type RaftKVProgram, runCluster } from "./cluster/cluster-run.ts";
import { type ClusterOptions, defaultClientPort, defaultPeerPort, nodesMax } from "./cluster/port-plan.ts";
import type { ExitCode } from "./exit-code.ts";
import type { Terminal } from "./terminal.ts";

/** Adds cluster: N members on this machine. */
export function addClusterCommand(program: Command, terminal: Terminal, finish: (status: ExitCode) => void): void {
  program
    .command("cluster")
    .description("run a cluster on this machine until Ctrl-C")
    .addOption(
      new Option("--nodes <count>", `number of members, 1 to ${nodesMax}`)
        .default(3)
        .argParser((text) => parseWholeNumber(text, { min: 1, max: nodesMax })),
    )
    .addOption(portOption("--client-port <port>", "client port of the first member", defaultClientPort))
    .addOption(portOption("--peer-port <port>", "peer port of the first member", defaultPeerPort))
    .option("--data-dir <path>", "where the members keep their data and logs", "./data")
    .addHelpText(
      "after",
      [
        "",
        "Members are named n1 to nN. With the default ports, clients are served on 2379, 22379, 32379, 42379, 52379, 62379, 12379,",
        "2479, 2579, and members reach each other one port higher. With another port P, the members use P, P+2, P+4 and so on.",
        "Each member writes its log to DATA-DIR/NAME.log. ETCD_* variables, as ETCD_ELECTION_TIMEOUT, are passed on to the members.",
      ].join("\n"),
    )
    .action(async (options: ClusterOptions) => finish(await runCluster(options, ownProgram(), terminal)));
}

function portOption(flags: string, description: string, port: number): Option {
  return new Option(flags, description).default(port).argParser((text) => parseWholeNumber(text, { min: 1, max: 65_535 }));
}

function ownProgram(): RaftKVProgram {
  const path = fileURLToPath(new URL("../bin/raftkv.js", import.meta.url));
  return { path, shown: existsSync("node_modules/.bin/raftkv") ? "npx raftkv" : `node ${relative(process.cwd(), path)}` };
}
