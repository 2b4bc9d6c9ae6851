"""Asks a JSON gateway what python3-etcd3gw can ask: `python-etcd3gw.py <port> <part>` prints `<part>: done` or a traceback."""

import base64
import os
import sys
import time

from etcd3gw import exceptions
from etcd3gw.client import Etcd3Client

port = int(sys.argv[1])
client = Etcd3Client(host="127.0.0.1", port=port, api_path="/v3/")


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def keys():
    assert client.get("keys/none") == []
    assert client.put("keys/a", "1")
    [(value, meta)] = client.get("keys/a", metadata=True)
    assert (value, meta["key"], meta["version"]) == (b"1", b"keys/a", "1")
    assert meta["create_revision"] == meta["mod_revision"]
    for key in ("keys/b", "keys/c"):
        client.put(key, key[-1])
    assert [value for value, _ in client.get_prefix("keys/")] == [b"1", b"b", b"c"]
    assert [value for value, _ in client.get_prefix("keys/", sort_order="descend", sort_target="key")] == [b"c", b"b", b"1"]
    assert len(client.get_all()) == 3
    assert client.create("keys/d", "4") and not client.create("keys/d", "5")
    assert client.replace("keys/d", "4", "6") and not client.replace("keys/d", "4", "7")
    assert client.get("keys/d") == [b"6"]
    assert client.delete("keys/d") and not client.delete("keys/d")
    assert client.delete_prefix("keys/")
    assert client.get_prefix("keys/") == []
    value = os.urandom(500_000)
    client.put("keys/large", value)
    assert client.get("keys/large") == [value]
    client.delete("keys/large")


def transactions():
    client.put("txn/a", "1")
    answer = client.transaction({
        "compare": [{"key": encoded("txn/a"), "result": "EQUAL", "target": "VALUE", "value": encoded("1")}],
        "success": [
            {"request_put": {"key": encoded("txn/a"), "value": encoded("2"), "prev_kv": True}},
            {"request_range": {"key": encoded("txn/a")}},
            {"request_delete_range": {"key": encoded("txn/none")}},
        ],
        "failure": [],
    })
    put, found, deleted = answer["responses"]
    assert answer["succeeded"]
    assert put["response_put"]["prev_kv"]["value"] == encoded("1")
    assert found["response_range"]["kvs"][0]["value"] == encoded("2")
    assert "deleted" not in deleted["response_delete_range"]
    answer = client.transaction({
        "compare": [{"key": encoded("txn/a"), "result": "GREATER", "target": "VERSION", "version": 100}],
        "failure": [{"request_range": {"key": encoded("txn/a")}}],
    })
    assert "succeeded" not in answer and len(answer["responses"]) == 1
    try:
        client.transaction({"success": [{"request_put": {"key": ""}}]})
        raise AssertionError("a put without a key")
    except exceptions.Etcd3Exception as reason:
        assert "key is not provided" in reason.detail_text, reason.detail_text


def leases():
    lease = client.lease(ttl=60)
    assert lease.refresh() == 60
    assert 30 <= lease.ttl() <= 60
    assert lease.keys() == []
    client.put("leases/a", "1", lease=lease)
    client.put("leases/b", "2", lease=lease)
    assert sorted(lease.keys()) == [b"leases/a", b"leases/b"]
    assert lease.revoke()
    assert client.get("leases/a") == []
    assert lease.ttl() == -1
    assert lease.refresh() == -1
    try:
        client.put("leases/a", "1", lease=lease)
        raise AssertionError("a put with a lease that is gone")
    except exceptions.Etcd3Exception as reason:
        assert "requested lease not found" in reason.detail_text, reason.detail_text
    before = int(client.status()["header"]["revision"])
    short = client.lease(ttl=4)
    client.put("leases/short", "1", lease=short)
    event = client.watch_once("leases/short", timeout=60, start_revision=before + 2)
    assert event["type"] == "DELETE"
    assert client.get("leases/short") == []


def watches():
    events, cancel = client.watch("watches/a", prev_kv=True)
    client.put("watches/a", "1")
    client.put("watches/a", "2")
    client.delete("watches/a")
    seen = [next(events) for _ in range(3)]
    assert [event.get("type") for event in seen] == [None, None, "DELETE"]
    assert [event["kv"].get("value") for event in seen] == [b"1", b"2", None]
    assert [event.get("prev_kv", {}).get("value") for event in seen] == [None, encoded("1"), encoded("2")]
    cancel()
    first = int(seen[0]["kv"]["mod_revision"])
    past, cancel = client.watch_prefix("watches/", start_revision=first)
    assert [int(next(past)["kv"]["mod_revision"]) for _ in range(3)] == [first, first + 1, first + 2]
    cancel()
    deletes, cancel = client.watch_prefix("watches/", start_revision=first, filters=["NOPUT"])
    assert next(deletes)["type"] == "DELETE"
    cancel()
    try:
        client.watch_once("watches/nothing", timeout=0.3)
        raise AssertionError("an event of nothing")
    except exceptions.WatchTimedOut:
        pass


def locks():
    with client.lock(id="a", ttl=30) as lock:
        assert lock.is_acquired()
        assert lock.refresh() == 30
        assert not client.lock(id="a", ttl=30).acquire()
    assert not lock.is_acquired()
    short = client.lock(id="a", ttl=4)
    assert short.acquire()
    again = client.lock(id="a", ttl=30)
    deadline = time.monotonic() + 60
    while not again.acquire():
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert again.is_acquired() and not short.is_acquired()
    assert again.release() and not again.release()


def maintenance():
    status = client.status()
    assert status["version"] == "3.4.23"
    assert int(status["dbSize"]) > 0 and int(status["raftIndex"]) > 0
    [member] = client.members()
    assert member["ID"] == status["leader"] == status["header"]["member_id"]
    assert member["clientURLs"] == [f"http://127.0.0.1:{port}"]
    try:
        Etcd3Client(host="127.0.0.1", port=port, api_path="/v3alpha/").status()
        raise AssertionError("an answer at a path that there is not")
    except exceptions.Etcd3Exception:
        pass


part = sys.argv[2]
{task.__name__: task for task in (keys, transactions, leases, watches, locks, maintenance)}[part]()
print(f"{part}: done", flush=True)
# A watch that was cancelled may still have a thread that reads.
os._exit(0)
