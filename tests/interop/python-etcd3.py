"""Asks a server what python3-etcd3 can ask: `python-etcd3.py <port> <part>` prints `<part>: done` or a traceback."""

import io
import sys
import threading

import etcd3

port = int(sys.argv[1])
client = etcd3.client(host="127.0.0.1", port=port, timeout=60)


def refused(call, error):
    try:
        call()
    except error as reason:
        return str(reason)
    raise AssertionError(f"{error.__name__} was not raised")


def keys():
    assert client.get("keys/none") == (None, None)
    client.put("keys/a", "1")
    value, meta = client.get("keys/a")
    assert (value, meta.key, meta.version, meta.lease_id) == (b"1", b"keys/a", 1, 0)
    assert meta.create_revision == meta.mod_revision == meta.response_header.revision
    assert client.put("keys/a", "2", prev_kv=True).prev_kv.value == b"1"
    assert client.get("keys/a", serializable=True)[0] == b"2"
    for key in ("keys/b", "keys/c", "keys/d"):
        client.put(key, key[-1])
    assert [meta.key for _, meta in client.get_prefix("keys/")] == [b"keys/a", b"keys/b", b"keys/c", b"keys/d"]
    assert [value for value, _ in client.get_range("keys/b", "keys/d")] == [b"b", b"c"]
    assert [value for value, _ in client.get_prefix("keys/", sort_order="descend", sort_target="value")] == [b"d", b"c", b"b", b"2"]
    assert [value for value, _ in client.get_prefix("keys/", keys_only=True)] == [b""] * 4
    assert len(list(client.get_all())) == 4
    assert client.put_if_not_exists("keys/e", "5") and not client.put_if_not_exists("keys/e", "6")
    assert client.replace("keys/e", "5", "7") and not client.replace("keys/e", "5", "8")
    assert client.get("keys/e")[0] == b"7"
    assert client.delete("keys/e", prev_kv=True, return_response=True).prev_kvs[0].value == b"7"
    assert not client.delete("keys/e")
    assert client.delete_prefix("keys/").deleted == 4
    large = bytes(range(256)) * 4096
    client.put("keys/large", large)
    assert client.get("keys/large")[0] == large
    client.delete("keys/large")


def transactions():
    puts = client.transactions
    client.put("txn/a", "1")
    succeeded, answers = client.transaction(
        compare=[puts.value("txn/a") == "1", puts.version("txn/a") > 0, puts.create("txn/none") == 0, puts.mod("txn/a") < 10000],
        success=[
            puts.put("txn/a", "2"),
            puts.get("txn/a"),
            puts.txn(compare=[puts.value("txn/a") == "1"], success=[puts.put("txn/b", "3")], failure=[]),
            puts.delete("txn/none"),
        ],
        failure=[puts.put("txn/a", "wrong")],
    )
    assert succeeded
    assert answers[1][0][0] == b"2"
    assert client.get("txn/b")[0] == b"3"
    succeeded, answers = client.transaction(
        compare=[puts.value("txn/a") == "1"],
        success=[puts.put("txn/a", "wrong")],
        failure=[puts.get("txn/a"), puts.get("txn/b")],
    )
    assert not succeeded
    assert [answer[0][0] for answer in answers] == [b"2", b"3"]
    text = refused(lambda: client.transaction(compare=[], success=[puts.put("x", "1"), puts.put("x", "2")], failure=[]), Exception)
    assert "duplicate key given in txn request" in text, text


def leases():
    lease = client.lease(60)
    client.put("leases/a", "1", lease=lease)
    client.put("leases/b", "2", lease=lease)
    assert client.get("leases/a")[1].lease_id == lease.id
    assert 30 <= lease.remaining_ttl <= 60 and lease.granted_ttl == 60
    assert sorted(lease.keys) == [b"leases/a", b"leases/b"]
    assert [answer.TTL for answer in lease.refresh()] == [60]
    lease.revoke()
    assert client.get("leases/a") == (None, None)
    named = client.lease(60, lease_id=123456789)
    assert named.id == 123456789
    refused(lambda: client.lease(60, lease_id=123456789), etcd3.exceptions.PreconditionFailedError)
    named.revoke()
    assert client.get_lease_info(123456789).TTL == -1
    assert "requested lease not found" in refused(lambda: client.put("leases/a", "1", lease=424242), Exception)
    short = client.lease(4)
    gone = threading.Event()
    put = client.put("leases/short", "1", lease=short)
    watch = client.add_watch_callback("leases/short", lambda _: gone.set(), start_revision=put.header.revision + 1)
    assert gone.wait(60)
    client.cancel_watch(watch)
    assert client.get("leases/short") == (None, None)


def watches():
    events, cancel = client.watch("watches/a", prev_kv=True)
    client.put("watches/a", "1")
    client.put("watches/a", "2")
    client.delete("watches/a")
    seen = [next(events) for _ in range(3)]
    assert [type(event) for event in seen] == [etcd3.events.PutEvent, etcd3.events.PutEvent, etcd3.events.DeleteEvent]
    assert [event.value for event in seen] == [b"1", b"2", b""]
    assert [event.prev_value for event in seen] == [b"", b"1", b"2"]
    first = seen[0].mod_revision
    cancel()
    past, cancel = client.watch_prefix("watches/", start_revision=first)
    assert [next(past).mod_revision for _ in range(3)] == [first, first + 1, first + 2]
    cancel()
    responses = [client.watch_response(f"watches/many/{number}") for number in range(20)]
    for number in range(20):
        client.put(f"watches/many/{number}", str(number))
    for number, (answers, stop) in enumerate(responses):
        assert next(answers).events[0].value == str(number).encode()
        stop()
    refused(lambda: client.watch_once("watches/nothing", timeout=0.3), etcd3.exceptions.WatchTimedOut)
    client.compact(first + 2)
    compacted, cancel = client.watch("watches/a", start_revision=first)
    try:
        next(compacted)
        raise AssertionError("events from before the compaction")
    except etcd3.exceptions.RevisionCompactedError as reason:
        assert reason.compacted_revision == first + 2
    cancel()


def locks():
    """A lock that waits ends with a TypeError in Debian's package, whatever the server is: its tenacity is newer than it expects."""
    with client.lock("a", ttl=20) as lock:
        assert lock.is_acquired()
        assert lock.refresh()[0].TTL == 20
        assert client.get("/locks/a")[0] == lock.uuid
        assert not client.put_if_not_exists("/locks/a", "somebody else")
    assert not lock.is_acquired()
    again = client.lock("a", ttl=20)
    assert again.acquire() and again.release() and not again.release()


def maintenance():
    status = client.status()
    assert status.version == "3.4.23"
    members = list(client.members)
    assert [member.id for member in members] == [status.leader.id]
    assert members[0].client_urls == [f"http://127.0.0.1:{port}"]
    assert status.raft_index > 0 and status.raft_term > 0 and status.db_size > 0
    client.defragment()
    assert isinstance(client.hash(), int)
    assert list(client.list_alarms()) == []
    [raised] = client.create_alarm()
    assert raised.alarm_type == etcd3.etcdrpc.NOSPACE
    assert "database space exceeded" in refused(lambda: client.put("maintenance/a", "1"), Exception)
    assert len(list(client.list_alarms())) == 1
    assert len(list(client.disarm_alarm())) == 1
    client.put("maintenance/a", "1")
    file = io.BytesIO()
    client.snapshot(file)
    assert len(file.getvalue()) > 32
    assert "required revision has been compacted" in refused(lambda: client.compact(1) or client.compact(1), Exception)


part = sys.argv[2]
{task.__name__: task for task in (keys, transactions, leases, watches, locks, maintenance)}[part]()
client.close()
print(f"{part}: done")
