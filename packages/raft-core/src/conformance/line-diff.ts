/** Equal lines shown around each difference. */
const CONTEXT_LINES = 3;

interface DiffLine {
  /** In both, only expected, only actual. */
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

/** What is expected and what came instead, as a unified diff without its header; empty if they are equal. */
export function unifiedDiff(expected: string, actual: string): string {
  const lines = diffLines(linesOf(expected), linesOf(actual));
  const isShown = lines.map((_, place) =>
    lines.slice(Math.max(0, place - CONTEXT_LINES), place + CONTEXT_LINES + 1).some(({ sign }) => sign !== " "),
  );
  let text = "";
  lines.forEach((line, place) => {
    if (!isShown[place]) return;
    if (!isShown[place - 1]) text += `${hunkHead(lines, isShown, place)}\n`;
    text += `${line.sign}${line.text}\n`;
  });
  return text;
}

function linesOf(text: string): readonly string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

/** `@@ -first,count +first,count @@` of the hunk that begins at `start`. */
function hunkHead(lines: readonly DiffLine[], isShown: readonly boolean[], start: number): string {
  const end = isShown.indexOf(false, start);
  const before = lines.slice(0, start);
  const hunk = lines.slice(start, end < 0 ? lines.length : end);
  const range = (other: DiffLine["sign"]): string => {
    const count = hunk.filter(({ sign }) => sign !== other).length;
    const first = before.filter(({ sign }) => sign !== other).length + (count === 0 ? 0 : 1);
    return `${first},${count}`;
  };
  return `@@ -${range("+")} +${range("-")} @@`;
}

/** Keeps the longest sequence of lines that both have in common. */
function diffLines(expected: readonly string[], actual: readonly string[]): readonly DiffLine[] {
  const lengths = commonLengths(expected, actual);
  const lines: DiffLine[] = [];
  let left = 0;
  let right = 0;
  while (left < expected.length || right < actual.length) {
    const [before, after] = [expected[left], actual[right]];
    if (before !== undefined && before === after) {
      lines.push({ sign: " ", text: before });
      left++;
      right++;
    } else if (before !== undefined && (after === undefined || lengthAt(lengths, left + 1, right) >= lengthAt(lengths, left, right + 1))) {
      lines.push({ sign: "-", text: before });
      left++;
    } else {
      lines.push({ sign: "+", text: after ?? "" });
      right++;
    }
  }
  return lines;
}

/** For each pair of positions the number of lines that what follows them has in common. */
function commonLengths(expected: readonly string[], actual: readonly string[]): readonly Uint32Array[] {
  const rows = Array.from({ length: expected.length + 1 }, () => new Uint32Array(actual.length + 1));
  for (let left = expected.length - 1; left >= 0; left--) {
    for (let right = actual.length - 1; right >= 0; right--) {
      const length =
        expected[left] === actual[right]
          ? lengthAt(rows, left + 1, right + 1) + 1
          : Math.max(lengthAt(rows, left + 1, right), lengthAt(rows, left, right + 1));
      rows[left]?.fill(length, right, right + 1);
    }
  }
  return rows;
}

function lengthAt(rows: readonly Uint32Array[], left: number, right: number): number {
  return rows[left]?.[right] ?? 0;
}
