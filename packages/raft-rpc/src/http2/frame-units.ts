import { controlFrameUnits, dataBytesPerUnit, headerBytesPerUnit } from "../limits.ts";
import { FrameType } from "./frame.ts";

/** What a frame costs of `turnUnitsMax`. */
export function frameUnits(type: number, payloadBytes: number): number {
  switch (type) {
    case FrameType.DATA:
      return 1 + ((payloadBytes / dataBytesPerUnit) | 0);
    case FrameType.HEADERS:
    case FrameType.CONTINUATION:
      return 1 + ((payloadBytes / headerBytesPerUnit) | 0);
    default:
      return controlFrameUnits;
  }
}
