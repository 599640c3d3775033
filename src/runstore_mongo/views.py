"""The two names of the read contract that are views: one row a config value, one row a metric point."""

from typing import Any, Final

from runstore_mongo.documents import BUCKETS, SERIES

Pipeline = list[dict[str, Any]]

_UNPACK: Final = """
function (steps, values, times, hidden) {
  // BinData gives its bytes as hex text only; the columns are little-endian 64-bit numbers.
  function view(column) {
    const hex = column.hex(), bytes = new Uint8Array(hex.length / 2);
    for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(hex.substr(2 * i, 2), 16);
    return new DataView(bytes.buffer);
  }
  function long(data, at) { return NumberLong(data.getBigInt64(at, true).toString()); }
  const skipped = {};
  if (hidden !== null) {
    const data = view(hidden);
    for (let at = 0; at < data.byteLength; at += 8) skipped[data.getBigInt64(at, true).toString()] = true;
  }
  const s = view(steps), v = view(values), t = view(times), points = [];
  for (let at = 0; at < s.byteLength; at += 8) {
    if (skipped[s.getBigInt64(at, true).toString()]) continue;
    points.push({step: long(s, at), value: v.getFloat64(at, true), at: long(t, at)});
  }
  return points;
}
"""


def configurations_view() -> Pipeline:
    """Over ``runs``: ``run_id``, ``key``, ``value`` (text), ``value_type`` and ``number``."""
    return [
        {"$project": {"run_id": "$_id", "config": 1}},
        {"$unwind": "$config"},
        {
            "$project": {
                "_id": 0,
                "run_id": 1,
                "key": "$config.k",
                "value": "$config.s",
                "value_type": "$config.kind",
                "number": "$config.n",
            }
        },
    ]


def metrics_view() -> Pipeline:
    """Over ``run_series``: the inherited columns of ``run_metrics``, one row a point.

    The packed columns are unpacked by JavaScript on the server: right for looking and small exports, 20 times slower
    than reading ``run_buckets``. A newest point hides an older one of the same step in a bucket.
    """
    names = {"run_id": 1, "metric_name": 1, "dataset_type": 1}
    newest: Pipeline = [
        {"$project": {**names, "block": "$tail", "hidden": {"$literal": None}}},
        {"$match": {"block.count": {"$gt": 0}}},
    ]
    return [
        {"$project": {**names, "tail": 1}},
        {"$lookup": {"from": BUCKETS, "localField": "_id", "foreignField": "series", "as": "block"}},
        {"$unwind": "$block"},
        {"$project": {**names, "block": 1, "hidden": "$tail.steps"}},
        {"$unionWith": {"coll": SERIES, "pipeline": newest}},
        {
            "$project": {
                **names,
                "point": {
                    "$function": {
                        "lang": "js",
                        "args": ["$block.steps", "$block.values", "$block.times", "$hidden"],
                        "body": _UNPACK,
                    }
                },
            }
        },
        {"$unwind": "$point"},
        {
            "$project": {
                "_id": 0,
                **names,
                "metric_value": "$point.value",
                "step": "$point.step",
                "logged_at": {"$toDate": {"$toLong": {"$divide": ["$point.at", 1000]}}},
                "logged_at_us": "$point.at",
            }
        },
    ]
