import { expect, test } from "vitest";
import { textTable } from "./text-table.ts";

test("a table is drawn as etcdctl draws it", () => {
  const row = ["8ddab73534be950c", "started", "e1", "http://127.0.0.1:31380", "http://127.0.0.1:31379", "false"];
  expect(textTable(["ID", "Status", "Name", "Peer Addrs", "Client Addrs", "Is Learner"], [row])).toBe(
    `
+------------------+---------+------+------------------------+------------------------+------------+
|        ID        | STATUS  | NAME |       PEER ADDRS       |      CLIENT ADDRS      | IS LEARNER |
+------------------+---------+------+------------------------+------------------------+------------+
| 8ddab73534be950c | started |   e1 | http://127.0.0.1:31380 | http://127.0.0.1:31379 |      false |
+------------------+---------+------+------------------------+------------------------+------------+
`.slice(1),
  );
});
