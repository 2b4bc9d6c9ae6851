import { describeFuzz } from "./fuzz-suite.ts";

describeFuzz(1, () => performance.now());
