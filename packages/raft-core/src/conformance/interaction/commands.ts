import { isVoter } from "../../membership/configuration.ts";
import type { LogIndex, NodeId } from "../../types.ts";
import { CommandError } from "../command-error.ts";
import type { Directive } from "../datadriven.ts";
import { type DirectiveArguments, parseNumber } from "../directive-arguments.ts";
import { LOG_LEVELS, logLevelOf } from "../output-sink.ts";
import { entriesText } from "../text/entry-text.ts";
import { messageNames } from "../text/message-fields.ts";
import { messageText } from "../text/message-text.ts";
import { roleNames } from "../text/names.ts";
import { peersText } from "../text/peer-text.ts";
import { ELECTION_TICKS, HEARTBEAT_TICKS, memberSetup } from "./member-setup.ts";
import { proposedChange } from "./proposed-change.ts";
import type { DeliveryChoice, ScriptedCluster } from "./scripted-cluster.ts";
import type { ScriptedMember } from "./scripted-member.ts";

/** Carries out one directive. What it has to say goes to the cluster's sink. */
export type Command = (cluster: ScriptedCluster, directive: Directive) => void;

/** Everything that scripts can ask for, by name. */
export const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["log-level", (cluster, { arguments: args }) => setLogLevel(cluster, args.key(0))],
  ["add-nodes", addNodes],
  ["campaign", (cluster, { arguments: args }) => void firstMember(cluster, args).core.campaign()],
  ["propose", propose],
  ["propose-conf-change", proposeChange],
  ["process-ready", forEachMember("handling Ready", (member) => member.processReady())],
  ["process-append-thread", forEachMember("processing append thread", (member) => member.processAppendThread())],
  ["process-apply-thread", forEachMember("processing apply thread", (member) => member.processApplyThread())],
  ["deliver-msgs", deliverMessages],
  ["stabilize", stabilize],
  ["tick-heartbeat", (cluster, { arguments: args }) => tick(firstMember(cluster, args), HEARTBEAT_TICKS)],
  ["tick-election", (cluster, { arguments: args }) => tick(firstMember(cluster, args), ELECTION_TICKS)],
  ["set-randomized-election-timeout", setElectionTimeout],
  ["raft-state", showStates],
  ["status", (cluster, { arguments: args }) => cluster.sink.write(peersText(firstMember(cluster, args).core.status().peers))],
  ["raft-log", (cluster, { arguments: args }) => showLog(cluster, firstMember(cluster, args))],
  ["compact", compact],
  ["transfer-leadership", transferLeadership],
  ["forget-leader", (cluster, { arguments: args }) => firstMember(cluster, args).core.forgetLeader()],
  ["report-unreachable", reportUnreachable],
  ["send-snapshot", sendSnapshot],
  ["_breakpoint", () => undefined],
]);

const utf8 = new TextEncoder();

function firstMember(cluster: ScriptedCluster, args: DirectiveArguments): ScriptedMember {
  return cluster.member(args.number(0));
}

function setLogLevel(cluster: ScriptedCluster, name: string): void {
  const level = logLevelOf(name);
  if (level === undefined) throw new CommandError(`log levels must be either of [${LOG_LEVELS.join(" ")}]`);
  cluster.sink.level = level;
}

function addNodes(cluster: ScriptedCluster, { arguments: args }: Directive): void {
  const setup = memberSetup(args);
  for (let count = args.number(0); count > 0; count--) cluster.addMember(setup);
}

function propose(cluster: ScriptedCluster, { arguments: args }: Directive): void {
  firstMember(cluster, args).propose(utf8.encode(args.key(1)));
}

function proposeChange(cluster: ScriptedCluster, directive: Directive): void {
  firstMember(cluster, directive.arguments).proposeChange(proposedChange(directive));
}

/** For every id among the arguments. Several blocks have a header each and are indented. */
function forEachMember(title: string, work: (member: ScriptedMember) => void): Command {
  return (cluster, { arguments: args }) => {
    const members = args.ids().map((id) => cluster.member(id));
    for (const member of members) {
      if (members.length === 1) return work(member);
      cluster.sink.write(`> ${member.id} ${title}\n`);
      cluster.sink.indented(() => work(member));
    }
  };
}

function deliverMessages(cluster: ScriptedCluster, { arguments: args }: Directive): void {
  let count = 0;
  for (const choice of deliveryChoices(args)) count += cluster.deliver(choice);
  if (count === 0) cluster.sink.write("no messages\n");
}

/** Receivers in the order written, those in `drop=` being cut off. */
function deliveryChoices(args: DirectiveArguments): readonly DeliveryChoice[] {
  const type = args.value("type");
  if (type !== undefined && !Object.values(messageNames).includes(type)) throw new Error(`Unknown message type ${type}`);
  const isChosen: DeliveryChoice["isChosen"] = (message) => type === undefined || messageNames[message.type] === type;
  return [...args].flatMap(({ key, values }): readonly DeliveryChoice[] => {
    if (values.length === 0) return [{ receiver: parseNumber(key), isDropping: false, isChosen }];
    return key === "drop" ? values.map((value) => ({ receiver: parseNumber(value), isDropping: true, isChosen })) : [];
  });
}

function stabilize(cluster: ScriptedCluster, { arguments: args }: Directive): void {
  const { level } = cluster.sink;
  const ids = args.ids();
  try {
    const name = args.value("log-level");
    if (name !== undefined) setLogLevel(cluster, name);
    cluster.stabilize(ids.length > 0 ? ids : cluster.members.map(({ id }) => id));
  } finally {
    cluster.sink.level = level;
  }
}

function tick(member: ScriptedMember, times: number): void {
  for (let count = 0; count < times; count++) member.core.tick();
}

function setElectionTimeout(cluster: ScriptedCluster, { arguments: args }: Directive): void {
  firstMember(cluster, args).core.overrideElectionTimeout(parseNumber(args.value("timeout") ?? ""));
}

function showStates(cluster: ScriptedCluster): void {
  for (const { id, core } of cluster.members) {
    const { role, term, leader, configuration } = core.status();
    const membership = isVoter(configuration, id) ? "Voter" : "Non-Voter";
    cluster.sink.write(`${id}: ${roleNames[role]} (${membership}) Term:${term} Lead:${leader}\n`);
  }
}

function showLog(cluster: ScriptedCluster, { storage }: ScriptedMember): void {
  const { firstIndex, lastIndex } = storage;
  if (lastIndex < firstIndex) cluster.sink.write(`log is empty: first index=${firstIndex}, last index=${lastIndex}`);
  else cluster.sink.write(entriesText(storage.all()));
}

function compact(cluster: ScriptedCluster, { arguments: args }: Directive): void {
  const member = firstMember(cluster, args);
  const index: LogIndex = args.number(1);
  member.storage.compact(index);
  member.core.compact(index);
  showLog(cluster, member);
}

function transferLeadership(cluster: ScriptedCluster, { arguments: args }: Directive): void {
  const idOf = (key: string): NodeId => parseNumber(args.value(key) ?? "");
  cluster.member(idOf("from")).core.transferLeadership(idOf("to"));
}

function reportUnreachable(cluster: ScriptedCluster, { arguments: args }: Directive): void {
  const [id, peer, ...others] = args.ids();
  if (id === undefined || peer === undefined || others.length > 0) {
    throw new CommandError("must specify exactly two node indexes: node on which to report, and reported node");
  }
  cluster.member(id).core.reportUnreachable(peer);
}

/** The leader itself knows nothing of it. */
function sendSnapshot(cluster: ScriptedCluster, { arguments: args }: Directive): void {
  const from = firstMember(cluster, args);
  const message = {
    type: "installSnapshot",
    from: from.id,
    to: args.number(1),
    term: from.core.status().term,
    snapshot: from.newestSnapshot,
  } as const;
  cluster.post(message);
  cluster.sink.write(messageText(message));
}
