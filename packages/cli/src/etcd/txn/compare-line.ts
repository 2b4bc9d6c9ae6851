import { compare, type Relation, type TxnRequest } from "@raftkv/client";
import { ProgramError } from "../../terminal.ts";
import { etcdExit } from "../exit-status.ts";
import { parseInt64 } from "../input/number-argument.ts";
import { unquote } from "../input/quoted-text.ts";

type Compare = TxnRequest["compare"][number];

const text = String.raw`("(?:[^"\\]|\\.)*"|${"`"}[^${"`"}]*${"`"})`;
/** `value("key") = "text"`, in quotes as Go writes them; what comes after that is ignored. */
const comparison = new RegExp(String.raw`^([^(]*)\(\s*${text}\)\s+(\S+)\s+${text}`);

const relations: ReadonlySet<string> = new Set<Relation>(["=", "!=", "<", ">"]);

/**
 * Reads one condition of a transaction:
 *
 *     target("key") relation "operand"
 *     target:   ver, version | c, create | m, mod | val, value | lease
 *     relation: = != < >
 *     operand:  a decimal number; for value any text, for lease an id in hex
 *
 * Throws ProgramError.
 */
export function parseCompare(line: string): Compare {
  const [, target = "", quotedKey, relation = "", quotedOperand] = comparison.exec(line) ?? [];
  if (quotedKey === undefined || quotedOperand === undefined) {
    throw malformed(line, 'give one like value("key") = "text" or ver("key") > "0"');
  }
  if (!isRelation(relation)) throw malformed(line, `unknown operator ${relation}`);
  const key = unquote(quotedKey);
  const operand = unquote(quotedOperand);
  switch (target) {
    case "ver":
    case "version":
      return compare.version(key, relation, wholeNumber(operand, line));
    case "c":
    case "create":
      return compare.createRevision(key, relation, wholeNumber(operand, line));
    case "m":
    case "mod":
      return compare.modRevision(key, relation, wholeNumber(operand, line));
    case "val":
    case "value":
      return compare.value(key, relation, operand);
    case "lease":
      return compare.lease(key, relation, leaseId(operand, line));
    default:
      throw malformed(line, `unknown target ${target}`);
  }
}

function isRelation(given: string): given is Relation {
  return relations.has(given);
}

function wholeNumber(operand: Uint8Array, line: string): number {
  const value = Number(parseInt64(Buffer.from(operand).toString()) ?? Number.NaN);
  if (!Number.isSafeInteger(value)) throw new ProgramError(etcdExit.invalidInput, `invalid txn compare request: ${line}`);
  return value;
}

function leaseId(operand: Uint8Array, line: string): bigint {
  const digits = Buffer.from(operand).toString();
  if (!/^[0-9a-f]{1,16}$/i.test(digits)) throw new ProgramError(etcdExit.invalidInput, `invalid txn compare request: ${line}`);
  return BigInt.asIntN(64, BigInt(`0x${digits}`));
}

function malformed(line: string, reason: string): ProgramError {
  return new ProgramError(etcdExit.invalidInput, `malformed comparison: ${line} (${reason})`);
}
