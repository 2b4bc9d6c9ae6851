/** How many writes a cluster of some size has to carry, as etcdctl's `check perf` has it. */
export interface LoadModel {
  readonly writesPerSecond: number;
  readonly clients: number;
}

const models: Readonly<Record<string, LoadModel>> = {
  s: { writesPerSecond: 150, clients: 50 },
  m: { writesPerSecond: 1000, clients: 200 },
  l: { writesPerSecond: 8000, clients: 500 },
  xl: { writesPerSecond: 15_000, clients: 1000 },
};

const longNames: Readonly<Record<string, string>> = { small: "s", medium: "m", large: "l", xlarge: "xl" };

/** `s` or `small`, … `xl` or `xLarge`; null if there is none of this name. */
export function loadModel(name: string): LoadModel | null {
  const lower = name.toLowerCase();
  return models[longNames[lower] ?? lower] ?? null;
}
