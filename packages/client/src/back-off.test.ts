import { expect, test } from "vitest";
import { backOffMs } from "./back-off.ts";

const least = { below: () => 0 };
const most = { below: (limit: number) => limit - 1 };

test("the pause doubles with every failure up to one second, half of it by chance", () => {
  const failures = [1, 2, 3, 6, 7, 8, 1000];
  expect(failures.map((count) => backOffMs(count, least))).toEqual([10, 20, 40, 320, 500, 500, 500]);
  expect(failures.map((count) => backOffMs(count, most))).toEqual([20, 40, 80, 640, 1000, 1000, 1000]);
});
