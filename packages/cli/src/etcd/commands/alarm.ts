import type { Alarm } from "@raftkv/client";
import type { Verb } from "../verb.ts";
import { badArguments } from "./key-arguments.ts";

export const alarmListVerb: Verb<object> = {
  name: "list",
  usage: "[options]",
  summary: "print what is wrong with members, for which the cluster refuses writes",
  run: async (call) => {
    if (call.args.length > 0) throw badArguments("alarm list command accepts no arguments");
    call.checkFormat("alarms");
    call.show({ kind: "alarms", response: await call.withClient((etcd) => etcd.alarms()) });
  },
};

export const alarmDisarmVerb: Verb<object> = {
  name: "disarm",
  usage: "[options]",
  summary: "end all alarms, and print them",
  run: async (call) => {
    if (call.args.length > 0) throw badArguments("alarm disarm command accepts no arguments");
    call.checkFormat("alarms");
    const response = await call.withClient(async (etcd) => {
      const raised = await etcd.alarms();
      const ended: Alarm[] = [];
      for (const alarm of raised.alarms) ended.push(...(await etcd.disarm(alarm)).alarms);
      return { header: raised.header, alarms: ended };
    });
    call.show({ kind: "alarms", response });
  },
};
