import { describeFuzz } from "./fuzz-suite.ts";

describeFuzz(1 / 20, () => performance.now());
