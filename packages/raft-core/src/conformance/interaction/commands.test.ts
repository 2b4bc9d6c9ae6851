import { describe, expect, test } from "vitest";
import { runScript } from "../script-run.ts";

const quietLeader = `log-level none
----
ok

add-nodes 1 voters=(1) index=5
----
ok

campaign 1
----
ok

stabilize
----
ok

log-level debug
----
ok

`;

function check(text: string): void {
  expect(runScript("interaction", text).failure).toBeNull();
}

describe("errors of", () => {
  test.each([
    ["log-level loud", "log levels must be either of [DEBUG INFO WARN ERROR FATAL NONE]"],
    ["stabilize log-level=loud", "log levels must be either of [DEBUG INFO WARN ERROR FATAL NONE]"],
    ["add-nodes 1 voters=(1)", "index must be specified as > 1 due to bootstrap"],
    ["add-nodes 1 content=x", "index must be specified as > 1 due to bootstrap"],
    ["add-nodes 1 read-only=maybe", 'invalid read-only option "maybe"'],
    ["propose-conf-change 1 v1=true\nv2 v3", "v1 conf change can only have one operation and no transition"],
    ["propose-conf-change 1 v1=true transition=explicit\nv2", "v1 conf change can only have one operation and no transition"],
    ["propose-conf-change 1 v1=maybe\nv2", 'strconv.ParseBool: parsing "maybe": invalid syntax'],
    ["propose-conf-change 1 transition=later\nv2", "unknown transition later"],
    ["propose-conf-change 1 v3=true\nv2", "unknown command v3"],
    ["propose-conf-change 1\nv", "unknown token v"],
    ["propose-conf-change 1\nx2", "unknown input: x2"],
    ["report-unreachable 1", "must specify exactly two node indexes: node on which to report, and reported node"],
    ["compact 1 5", "requested index is unavailable due to compaction"],
    ["take-off 1", "unknown command"],
  ])("%j", (directive, error) => {
    check(`${quietLeader}${directive}\n----\n${error}\n`);
    check(`${quietLeader}log-level none\n----\nok\n\n${directive}\n----\n${error}\n`);
  });
});

describe("the answer of", () => {
  test.each([
    ["deliver-msgs 1", "no messages"],
    ["process-ready 1", "<empty Ready>"],
    ["process-append-thread 1", "no append work to perform"],
    [
      "process-apply-thread 1 1",
      "> 1 processing apply thread\n  no apply work to perform\n> 1 processing apply thread\n  no apply work to perform",
    ],
    ["campaign 1", "DEBUG 1 ignoring MsgHup because already leader"],
    ["transfer-leadership from=1 to=1", "DEBUG 1 is already leader. Ignored transferring leadership to self"],
    ["transfer-leadership from=1 to=7", "DEBUG 1 no progress available for 7"],
    ["raft-log 1", '1/6 EntryNormal ""'],
    ["compact 1 6", "log is empty: first index=7, last index=6"],
    ["stabilize log-level=none", "ok"],
    ["_breakpoint", "ok"],
  ])("%s", (directive, answer) => {
    check(`${quietLeader}${directive}\n----\n${answer}\n`);
  });
});

test("a message of a chosen type overtakes others, and what a member tells itself is never lost", () => {
  check(`log-level none
----
ok

add-nodes 2 voters=(1,2) index=5 async-storage-writes=true
----
ok

campaign 1
----
ok

process-ready 1
----
ok

process-append-thread 1
----
ok

log-level info
----
ok

deliver-msgs drop=(1)
----
no messages

deliver-msgs drop=(2) 1 type=MsgVoteResp
----
1->1 MsgVoteResp Term:1 Log:0/0
INFO 1 received MsgVoteResp from 1 at term 1
INFO 1 has received 1 MsgVoteResp votes and 0 vote rejections

deliver-msgs drop=2
----
dropped: 1->2 MsgVote Term:1 Log:1/5
`);
});
