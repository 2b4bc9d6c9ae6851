import { sizeText } from "../../status-table.ts";
import { durationText } from "../duration.ts";
import type { Answer } from "./answer.ts";
import { memberCells, memberHead, statusCells, statusHead } from "./row-cells.ts";
import { textTable } from "./text-table.ts";

/** Whatever is about members, endpoints or files. */
export function tableOf(answer: Answer): string {
  switch (answer.kind) {
    case "member-list":
      return textTable(memberHead, answer.response.members.map(memberCells));
    case "endpoint-status":
      return textTable(statusHead, answer.endpoints.map(statusCells));
    case "endpoint-health": {
      const rows = answer.endpoints.map(({ endpoint, value: { healthy, tookMs, error } }) => [
        endpoint,
        String(healthy),
        durationText(tookMs),
        error,
      ]);
      return textTable(["endpoint", "health", "took", "error"], rows);
    }
    case "endpoint-hash":
      return textTable(
        ["endpoint", "hash"],
        answer.endpoints.map(({ endpoint, value }) => [endpoint, String(value.hash)]),
      );
    case "snapshot-status": {
      const { hash, revision, totalKeys, totalBytes } = answer.status;
      const row = [hash.toString(16), String(revision), String(totalKeys), sizeText(totalBytes)];
      return textTable(["hash", "revision", "total keys", "total size"], [row]);
    }
    default:
      throw new Error(`Assertion failed: ${answer.kind} has no table`);
  }
}
