/** The closed table of gRPC status codes (gRPC statuscodes document). */
export const StatusCode = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type StatusCode = (typeof StatusCode)[keyof typeof StatusCode];

const codes: readonly StatusCode[] = Object.values(StatusCode);
const names: readonly string[] = Object.keys(StatusCode);

/** Number of codes: counters per status are arrays of this length. */
export const statusCodeCount = codes.length;

/** `NOT_FOUND` for 5. */
export function statusName(code: StatusCode): string {
  return names[code] ?? "UNKNOWN";
}

/** The code of a number that came from outside; numbers that are not in the table are UNKNOWN. */
export function statusFromNumber(value: number): StatusCode {
  return codes[value] ?? StatusCode.UNKNOWN;
}

/** What a client makes of an HTTP status that came without `grpc-status` (http-grpc-status-mapping). */
export function statusFromHttp(httpStatus: number): StatusCode {
  switch (httpStatus) {
    case 400:
    case 431:
      return StatusCode.INTERNAL;
    case 401:
      return StatusCode.UNAUTHENTICATED;
    case 403:
      return StatusCode.PERMISSION_DENIED;
    case 404:
      return StatusCode.UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
      return StatusCode.UNAVAILABLE;
    default:
      return StatusCode.UNKNOWN;
  }
}
