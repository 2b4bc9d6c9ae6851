import { etcdClusterVersion, etcdVersion } from "../version.ts";
import type { Page } from "./http-endpoints.ts";

/** `/version`: purely numeric versions, for clients turn each part into a number. */
export const versionPage: Page = (_request, response) => {
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ etcdserver: etcdVersion, etcdcluster: etcdClusterVersion }));
};
