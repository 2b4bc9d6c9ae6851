/** RaftKV's own version. */
export const raftkvVersion = "0.0.0";

/** The etcd whose behaviour the API has, as clients and tools ask for it: purely numeric. */
export const etcdVersion = "3.4.23";
export const etcdClusterVersion = "3.4.0";
