import { fileURLToPath } from "node:url";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { expect, test } from "vitest";

/** Three cores, wired directly: member 1 campaigns, everybody answers at once. */
const election = `
  const configuration = { voters: [1, 2, 3], outgoing: [], learners: [], learnersNext: [], autoLeave: false };
  const start = { hardState: { term: 0, vote: 0, commit: 0 }, snapshot: null, entries: [], configuration };
  const cores = [1, 2, 3].map((id) => new core.RaftCore({ id, electionTicks: 10, heartbeatTicks: 1 }, start, { below: () => 0 }));
  for (let tick = 0; tick < 10; tick++) cores[0].tick();
  for (let busy = true; busy; ) {
    busy = false;
    for (const member of cores) {
      const ready = member.ready();
      if (ready === undefined) continue;
      busy = true;
      if (ready.append) member.appended(ready.append);
      if (ready.apply) member.applied(ready.apply);
      for (const message of [...ready.messages, ...(ready.append ? ready.append.messages : [])]) {
        if (message.to !== message.from) cores[message.to - 1].step(message);
      }
    }
  }
  cores.map((member) => [member.role, member.leader, member.commit].join(" ")).join(", ");
`;

test("the bundle elects a leader without Node, clock or chance", async () => {
  const entry = fileURLToPath(new URL("./index.ts", import.meta.url));
  const bundle = await build({ entryPoints: [entry], bundle: true, format: "iife", globalName: "core", platform: "neutral", write: false });
  const sandbox = createContext({});
  runInContext("Date.now = Math.random = () => { throw new Error('not deterministic'); }; Date = undefined;", sandbox);
  runInContext(bundle.outputFiles[0]?.text ?? "", sandbox);
  expect(runInContext("typeof process + typeof Buffer + typeof setTimeout", sandbox)).toBe("undefined".repeat(3));
  expect(runInContext(election, sandbox)).toBe("leader 1 1, follower 1 1, follower 1 1");
});
