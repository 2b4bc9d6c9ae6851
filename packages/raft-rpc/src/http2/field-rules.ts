const connectionHeaders: ReadonlySet<string> = new Set(["connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"]);

/** Is the field well-formed? Pseudo headers are checked by whoever reads them (RFC 9113 8.2, 8.2.1, 8.2.2). */
export function isFieldValid(name: string, value: string): boolean {
  return isNameValid(name) && isValueValid(value) && !connectionHeaders.has(name) && (name !== "te" || value === "trailers");
}

const contentLengthPattern = /^[0-9]{1,15}$/;

/** `content-length`, NaN if it is no number or differs from `previous`, the one before it (-1 if there was none; RFC 9110 8.6). */
export function parseContentLength(value: string, previous: number): number {
  const length = contentLengthPattern.test(value) ? Number(value) : Number.NaN;
  return previous >= 0 && previous !== length ? Number.NaN : length;
}

function isNameValid(name: string): boolean {
  for (let place = name.charCodeAt(0) === 0x3a ? 1 : 0; place < name.length; place++) {
    const code = name.charCodeAt(place);
    if (code <= 0x20 || (code >= 0x41 && code <= 0x5a) || code >= 0x7f || code === 0x3a) return false;
  }
  return name.length > 0;
}

function isValueValid(value: string): boolean {
  for (let place = 0; place < value.length; place++) {
    const code = value.charCodeAt(place);
    if (code === 0 || code === 0x0a || code === 0x0d) return false;
  }
  return !isBlank(value.charCodeAt(0)) && !isBlank(value.charCodeAt(value.length - 1));
}

/** NaN, for the character of an empty value, is not blank. */
function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
