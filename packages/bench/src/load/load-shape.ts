/** `10x100`: ten connections, with a hundred requests in flight on each. */
export interface LoadShape {
  readonly connections: number;
  readonly inFlight: number;
}

export const loadShapes: readonly LoadShape[] = [
  { connections: 1, inFlight: 1 },
  { connections: 10, inFlight: 10 },
  { connections: 10, inFlight: 100 },
];

const connectionsMax = 1000;
/** Servers allow 1,000 streams on a connection. */
const inFlightMax = 1000;

export function formatLoadShape(shape: LoadShape): string {
  return `${shape.connections}x${shape.inFlight}`;
}

/** Throws RangeError. */
export function parseLoadShape(text: string): LoadShape {
  const match = /^(\d{1,4})x(\d{1,4})$/.exec(text);
  const connections = Number(match?.[1] ?? 0);
  const inFlight = Number(match?.[2] ?? 0);
  if (connections < 1 || inFlight < 1 || connections > connectionsMax || inFlight > inFlightMax) {
    throw new RangeError(`Load ${JSON.stringify(text)} is not CONNECTIONSxREQUESTS with 1 to ${connectionsMax} and 1 to ${inFlightMax}`);
  }
  return { connections, inFlight };
}
