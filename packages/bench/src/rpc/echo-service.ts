/** The service that every server of this benchmark has: both methods answer each message with itself. */
export const echoService = "bench.Echo";
export const unaryPath = `/${echoService}/Unary`;
export const streamPath = `/${echoService}/Stream`;

/** What is sent and comes back. */
export const messageBytes = 256;
