import type { AnyMessage, Delivery } from "../local-messages.ts";
import { snapshotText } from "./configuration-text.ts";
import { entryText } from "./entry-text.ts";
import { type MessageEnd, type MessageFields, messageFields } from "./message-fields.ts";
import { hex } from "./names.ts";

const NO_RESPONSES: readonly Delivery[] = [];

/**
 * A message with what is to follow it, if anything:
 *
 *     1->AppendThread MsgStorageAppend Term:0 Log:0/0 Entries:[1/12 EntryNormal "p"] Responses:[
 *       1->1 MsgAppResp Term:1 Log:0/12
 *     ]
 */
export function messageText(message: AnyMessage, responses = NO_RESPONSES): string {
  return textAt("", message, responses);
}

/** The same with every line moved to the right by `indentation`. */
function textAt(indentation: string, message: AnyMessage, responses: readonly Delivery[]): string {
  const fields = messageFields(message);
  let text = indentation + headText(fields) + entriesPart(indentation, fields);
  if (fields.snapshot !== null && fields.snapshot.index !== 0) text += `\n${indentation}  Snapshot: ${snapshotText(fields.snapshot)}`;
  if (responses.length > 0) {
    const lines = responses.map((response) => `\n${textAt(`${indentation}  `, response, NO_RESPONSES)}`);
    text += ` Responses:[${lines.join("")}\n${indentation}]`;
  }
  return text;
}

function headText(fields: MessageFields): string {
  const { from, to, type, term, logTerm, index, isRejected, hint, commit, vote } = fields;
  let text = `${endText(from)}->${endText(to)} ${type} Term:${term} Log:${logTerm}/${index}`;
  if (isRejected) text += ` Rejected (Hint: ${hint})`;
  if (commit !== 0) text += ` Commit:${commit}`;
  if (vote !== 0) text += ` Vote:${vote}`;
  return text;
}

function entriesPart(indentation: string, { entries }: MessageFields): string {
  const [first] = entries;
  if (first === undefined) return "";
  if (entries.length === 1) return ` Entries:[${entryText(first)}]`;
  return ` Entries:[${entries.map((entry) => `\n${indentation}  ${entryText(entry)}`).join("")}\n${indentation}]`;
}

function endText(end: MessageEnd): string {
  if (end === 0) return "None";
  return typeof end === "number" ? hex(end) : end;
}
