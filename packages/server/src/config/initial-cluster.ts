import { ConfigError } from "./config-error.ts";
import { type MemberUrl, parseMemberUrl } from "./member-url.ts";

/** A founding member as `--initial-cluster` names it. */
export interface InitialMember {
  readonly name: string;
  readonly peerUrls: readonly MemberUrl[];
}

/** `name=url,name=url`; a name that occurs more than once has several URLs. Throws ConfigError. */
export function parseInitialCluster(text: string, source: string): readonly InitialMember[] {
  const members = new Map<string, MemberUrl[]>();
  const owners = new Map<string, string>();
  for (const item of text.split(",")) {
    const separator = item.indexOf("=");
    const name = item.slice(0, separator).trim();
    if (separator < 1 || name === "") throw new ConfigError(`${source}: "${item}" is not name=url, give one like n1=http://127.0.0.1:2380`);
    const url = parseMemberUrl(item.slice(separator + 1).trim(), source);
    const owner = owners.get(url.href);
    if (owner !== undefined)
      throw new ConfigError(`${source}: ${url.href} is given to ${owner} and to ${name}, a peer URL belongs to one member`);
    owners.set(url.href, name);
    const urls = members.get(name) ?? [];
    urls.push(url);
    members.set(name, urls);
  }
  return [...members].map(([name, peerUrls]) => ({ name, peerUrls }));
}

/** This member must be in the cluster under the URLs that it advertises. Throws ConfigError. */
export function checkOwnEntry(members: readonly InitialMember[], name: string, advertised: readonly MemberUrl[]): void {
  const own = members.find((member) => member.name === name);
  if (own === undefined) {
    const names = members.map((member) => member.name).join(", ");
    throw new ConfigError(`--initial-cluster names ${names} but not this member "${name}", add it or change --name`);
  }
  const listed = own.peerUrls.map((url) => url.href).sort();
  const given = advertised.map((url) => url.href).sort();
  if (listed.join() !== given.join()) {
    throw new ConfigError(
      `--initial-cluster has ${listed.join(", ")} for "${name}" but --initial-advertise-peer-urls is ${given.join(", ")}, they must be the same`,
    );
  }
}
