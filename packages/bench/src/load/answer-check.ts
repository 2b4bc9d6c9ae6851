/**
 * Looks into answers without decoding them: the load generator shares the machine with those it measures. Both take protobuf messages
 * whose first field is a response header of less than 128 bytes, as etcd's are, and whose other fields are varints as far as they are looked at.
 */

const headerTag = 0x0a;
const moreBytes = 0x80;

/** Does this varint field follow the header? */
export function hasFieldAfterHeader(answer: Uint8Array, field: number): boolean {
  return answer[endOfHeader(answer)] === field << 3;
}

/** Is this varint field the last of all? */
export function endsWithField(answer: Uint8Array, field: number): boolean {
  let last = 0;
  for (let at = endOfHeader(answer); at < answer.length; ) {
    last = answer[at++] ?? 0;
    while (((answer[at++] ?? 0) & moreBytes) !== 0);
  }
  return last === field << 3;
}

function endOfHeader(answer: Uint8Array): number {
  return answer[0] === headerTag ? 2 + (answer[1] ?? 0) : 0;
}
