"""The two names of the read contract that are views: one row a config value, one row a metric point."""

from typing import Final

from runstore_mongo.documents.names import BUCKETS, RUNS, SERIES, Document, Pipeline
from runstore_mongo.documents.records import SHOWN

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
  for (const column of hidden) {
    const data = view(column);
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
    """Over ``runs`` that were not deleted: ``run_id``, ``key``, ``value`` (text), ``value_type`` and ``number``."""
    return [
        {"$match": SHOWN},
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
    """Over ``run_series`` and what waits in ``runs``, without deleted runs: the inherited columns of ``run_metrics``, one row a point.

    The packed columns are unpacked by JavaScript on the server: right for looking and small exports, 20 times slower
    than reading ``run_buckets``. A point in a tail hides one of the same step in a bucket, and one that waits hides both.
    """
    names = {"run_id": 1, "metric_name": 1, "dataset_type": 1}
    of_shown_runs: Pipeline = [
        {
            "$lookup": {
                "from": RUNS,
                "localField": "run_id",
                "foreignField": "_id",
                "pipeline": [{"$match": SHOWN}, {"$project": {"_id": 1}}],
                "as": "shown",
            }
        },
        {"$match": {"shown": {"$ne": []}}},
    ]
    waiting: Pipeline = [
        {
            "$lookup": {
                "from": RUNS,
                "localField": "run_id",
                "foreignField": "_id",
                "let": {"name": "$metric_name", "type": "$dataset_type", "version": "$version"},
                "pipeline": [
                    {"$project": {"_id": 0, "steps": _steps("$pending", "$$name", "$$type", "$$version")}},
                    {"$unwind": "$steps"},
                ],
                "as": "waiting",
            }
        },
    ]
    tails: Pipeline = [
        {"$match": {"tail.count": {"$gt": 0}}},
        *of_shown_runs,
        {"$project": {**names, "version": 1, "block": "$tail"}},
        *waiting,
        {"$project": {**names, "block": 1, "hidden": "$waiting.steps"}},
    ]
    pending: Pipeline = [
        {"$match": {**SHOWN, "pending.0": {"$exists": True}}},
        {"$project": {"run_id": "$_id", "block": "$pending", "pending": 1}},
        {"$unwind": "$block"},
        {"$set": {"metric_name": "$block.metric_name", "dataset_type": "$block.dataset_type"}},
        {"$set": {"key": {"$concat": ["$run_id", "\n", "$dataset_type", "\n", "$metric_name"]}}},
        {"$lookup": {"from": SERIES, "localField": "key", "foreignField": "_id", "as": "series"}},
        {"$match": {"$expr": {"$gt": ["$block.version", {"$ifNull": [{"$first": "$series.version"}, 0]}]}}},
        {
            "$project": {
                **names,
                "block": 1,
                "hidden": _steps("$pending", "$metric_name", "$dataset_type", "$block.version"),
            }
        },
    ]
    return [
        *of_shown_runs,
        {"$project": {**names, "version": 1, "tail": 1}},
        *waiting,
        {"$lookup": {"from": BUCKETS, "localField": "_id", "foreignField": "series", "as": "block"}},
        {"$unwind": "$block"},
        {"$project": {**names, "block": 1, "hidden": {"$concatArrays": [["$tail.steps"], "$waiting.steps"]}}},
        {"$unionWith": {"coll": SERIES, "pipeline": tails}},
        {"$unionWith": {"coll": RUNS, "pipeline": pending}},
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


def _steps(pending: str, name: str, dataset_type: str, version: str) -> Document:
    """The steps of the blocks of a series that wait and are newer than a version."""
    is_newer = [
        {"$eq": ["$$this.metric_name", name]},
        {"$eq": ["$$this.dataset_type", dataset_type]},
        {"$gt": ["$$this.version", version]},
    ]
    newer = {"$filter": {"input": {"$ifNull": [pending, []]}, "cond": {"$and": is_newer}}}
    return {"$map": {"input": newer, "in": "$$this.steps"}}
