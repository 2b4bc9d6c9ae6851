import { expect, test } from "vitest";
import { parseOperation } from "./operation-line.ts";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

test("a get takes the options of the verb", () => {
  const request = parseOperation('get "a b" --prefix --limit=2 --order=DESCEND --keys-only --rev 7');
  if (request.type !== "range") throw new Error(`It is a ${request.type}`);
  expect([text(request.request.key), text(request.request.rangeEnd)]).toEqual(["a b", "a c"]);
  expect(request.request).toMatchObject({ limit: 2, sortOrder: 2, sortTarget: 0, keysOnly: true, revision: 7, serializable: false });
});

test("a put takes the options of the verb", () => {
  const request = parseOperation("put k 'the value' --lease=ff --prev-kv");
  if (request.type !== "put") throw new Error(`It is a ${request.type}`);
  expect([text(request.request.key), text(request.request.value)]).toEqual(["k", "the value"]);
  expect(request.request).toMatchObject({ lease: 255n, prevKv: true, ignoreValue: false, ignoreLease: false });
});

test("a del takes the options of the verb", () => {
  const request = parseOperation("del a c --prev-kv");
  if (request.type !== "deleteRange") throw new Error(`It is a ${request.type}`);
  expect([text(request.request.key), text(request.request.rangeEnd)]).toEqual(["a", "c"]);
  expect(request.request.prevKv).toBe(true);
});

test.each([
  ["frob x", 3, "invalid txn request: frob x"],
  ["get", 3, "invalid txn compare request: get"],
  ["get x --frob", 3, "unknown option '--frob'"],
  ["get x --rev=y", 3, '"y" is not a whole number.'],
  ["put x", 128, "put command needs 1 argument and input from stdin or 2 arguments"],
  ["put x y --lease=zz", 128, 'bad lease ID "zz", expecting ID in Hex'],
  ["get x --consistency=q", 4, 'unknown consistency flag "q"'],
  ["del a b c", 128, "del command needs one argument as key and an optional argument as range_end"],
])("%s is refused", (line, exitStatus, message) => {
  expect(() => parseOperation(line)).toThrow(expect.objectContaining({ exitStatus, message: expect.stringContaining(message) }));
});
