import type { SimulatedCluster } from "../../cluster/simulated-cluster.ts";
import type { SimulatedNode } from "../../simulated-node.ts";
import type { SeededRandom } from "../../timeline/seeded-random.ts";
import { MetaView } from "../meta-view.ts";

/**
 * A moment in the life of a cluster. `vote`: a vote for somebody else was just made durable. `candidacy`: somebody stands for election.
 * `repair`: a member is under repair. `repairLed`: it is, and somebody leads. `newLeader`: somebody else leads.
 */
export type Scene = (typeof scenes)[number];
const scenes = ["vote", "vote", "candidacy", "repair", "repairLed", "newLeader"] as const;

/** Whom a fault would hurt most, and who else plays a part. */
export interface Actors {
  readonly victim: SimulatedNode;
  readonly rival: SimulatedNode | null;
}

interface Part {
  readonly node: SimulatedNode;
  readonly id: number;
  readonly role: string;
  readonly isUnderRepair: boolean;
}

export function drawScene(random: SeededRandom): Scene {
  return random.pick(scenes);
}

/** Lets events happen until there is such a scene; null if it does not come. */
export async function awaitScene(cluster: SimulatedCluster, scene: Scene, withinMs: number): Promise<Actors | null> {
  const look = looks[scene](cluster);
  let isOver = false;
  let actors: Actors | null = null;
  const { simulation } = cluster;
  const cancel = simulation.schedule(withinMs, () => {
    isOver = true;
  });
  await simulation.runUntil(
    () => {
      actors = look();
      return isOver || actors !== null;
    },
    { withinMs: 2 * withinMs },
  );
  cancel();
  return actors;
}

type Look = () => Actors | null;

const looks: Readonly<Record<Scene, (cluster: SimulatedCluster) => Look>> = {
  vote: lookForVote,
  candidacy: (cluster) => () =>
    actorsOf(
      cluster,
      ({ role }) => role === "candidate",
      ({ role }) => role === "follower",
    ),
  repair: (cluster) => () =>
    actorsOf(
      cluster,
      ({ isUnderRepair }) => isUnderRepair,
      ({ role }) => role === "leader",
    ),
  repairLed: (cluster) => () => {
    const isAny = partsOf(cluster).some(({ isUnderRepair }) => isUnderRepair);
    return isAny
      ? actorsOf(
          cluster,
          ({ role }) => role === "leader",
          ({ isUnderRepair }) => isUnderRepair,
        )
      : null;
  },
  newLeader: (cluster) => {
    const before = leaderOf(cluster);
    return () => {
      const leader = leaderOf(cluster);
      return leader === before
        ? null
        : actorsOf(
            cluster,
            ({ id }) => id === leader,
            ({ role }) => role !== "leader",
          );
    };
  },
};

/** The voter is the victim, and the candidate its rival. */
function lookForVote(cluster: SimulatedCluster): Look {
  const metas = new Map(cluster.nodes.map((node) => [node, new MetaView(node.disk)]));
  const termOf = (node: SimulatedNode): number => metas.get(node)?.hardState?.term ?? 0;
  const before = new Map(cluster.nodes.map((node) => [node, termOf(node)]));
  return () => {
    const parts = partsOf(cluster);
    for (const { node, id } of parts) {
      const hardState = metas.get(node)?.hardState ?? null;
      if (hardState === null || hardState.term <= (before.get(node) ?? 0) || [0, id].includes(hardState.vote)) continue;
      return { victim: node, rival: parts.find((part) => part.id === hardState.vote)?.node ?? null };
    }
    return null;
  };
}

function leaderOf(cluster: SimulatedCluster): number {
  return partsOf(cluster).find(({ role }) => role === "leader")?.id ?? 0;
}

function actorsOf(cluster: SimulatedCluster, isVictim: (part: Part) => boolean, isRival: (part: Part) => boolean): Actors | null {
  const parts = partsOf(cluster);
  const victim = parts.find(isVictim)?.node;
  if (victim === undefined) return null;
  return { victim, rival: parts.find((part) => part.node !== victim && isRival(part))?.node ?? null };
}

function partsOf(cluster: SimulatedCluster): readonly Part[] {
  return cluster.nodes.flatMap((node) => {
    const status = cluster.memberOn(node)?.context.node.status();
    return status === undefined ? [] : [{ node, id: status.id, role: status.role, isUnderRepair: status.repair !== null }];
  });
}
