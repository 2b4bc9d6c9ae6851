import { parseArgs } from "node:util";
import { runAttacks } from "./attack-run.ts";
import { socketAttacks } from "./socket-attack.ts";

const usage = `Usage: npm run attacks -w packages/raft-rpc -- [options]

Attacks a server of this package, and says what its other clients feel: their p99 without the attack, while it goes to another server of this
machine (which costs them processor time, too), and while it goes to theirs. The ratio is of the last two; all are medians of the rounds. Each
time the attacker comes from another loopback address, where there are many (Linux): no server knows it yet.

  --only TEXT    the attacks whose names hold it (default all)
  --rounds N     rounds of three measurements (default 5)
  --seconds S    length of one measurement (default 1, above 2,000 calls)
  --check        exit with 1 if a ratio is above 2, or a call of another client fails
  --help
`;

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "1" },
    check: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const attacks = socketAttacks.filter(({ name }) => name.includes(values.only));
const [rounds, roundMs] = [Number(values.rounds), Number(values.seconds) * 1000];
if (values.help) {
  process.stdout.write(usage);
} else if (attacks.length === 0 || !(rounds >= 1) || !(roundMs > 0)) {
  process.stderr.write(usage);
  process.exitCode = 64;
} else {
  const worst = await runAttacks(attacks, { rounds, roundMs, line: (text) => void process.stdout.write(`${text}\n`) });
  if (values.check && worst !== "bearable") process.exitCode = 1;
}
