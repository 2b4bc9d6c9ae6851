import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ClientError, type ClientErrorCode, clientErrorTable } from "./client-error.ts";

test("the README lists the codes with what a caller may do, and no others", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const listed = [...readme.matchAll(/^\| `(ERR_[A-Z_]+)` \| `([a-z-]+)` \|/gm)].map(([, code, retryable]) => [code, retryable]);
  expect(listed).toEqual(Object.entries(clientErrorTable).map(([code, { retryable }]) => [code, retryable]));
});

test("an error says by its code whether the call may be sent again", () => {
  const retryable = (code: ClientErrorCode): string => new ClientError(code, "x").retryable;
  expect(retryable("ERR_TIMEOUT")).toBe("safe");
  expect(retryable("ERR_OUTCOME_UNKNOWN")).toBe("maybe-applied");
  expect(retryable("ERR_REJECTED")).toBe("never");
});
