const eventsTag = (11 << 3) | 2;
const moreBytes = 0x80;

/**
 * Number of events in an `etcdserverpb.WatchResponse`, without decoding them: the load generator shares the machine with those it measures.
 * Throws RangeError if the bytes are no message.
 */
export function countEvents(response: Uint8Array): number {
  const cursor = { bytes: response, at: 0 };
  let events = 0;
  while (cursor.at < response.length) {
    const tag = readVarint(cursor);
    if (tag === eventsTag) events++;
    skipField(cursor, tag & 7);
  }
  return events;
}

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

function skipField(cursor: Cursor, wireType: number): void {
  if (wireType !== 0 && wireType !== 2) throw new RangeError(`Wire type ${wireType} at byte ${cursor.at} is none of a watch response`);
  const number = readVarint(cursor);
  if (wireType === 2) cursor.at += number;
  if (cursor.at > cursor.bytes.length) throw new RangeError("A field reaches beyond the end of the response");
}

/** Only the low 53 bits of a longer one are right; such are skipped. */
function readVarint(cursor: Cursor): number {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = cursor.bytes[cursor.at++];
    if (byte === undefined) throw new RangeError("The response ends within a number");
    value += (byte & 0x7f) * scale;
    if ((byte & moreBytes) === 0) return value;
  }
}
