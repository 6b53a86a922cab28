//! Which server of a cluster has which slots, as `CLUSTER SLOTS` tells it.

use std::collections::BTreeMap;

use crc16::{State, XMODEM};
use redis::Value;

/// Slots of every Redis Cluster.
pub const SLOTS: u16 = 16_384;

/// The slot of a channel. Nodes' channels hold no `{tag}`, so that the whole name counts.
pub fn slot_of(channel: &str) -> u16 {
    State::<XMODEM>::calculate(channel.as_bytes()) % SLOTS
}

/// First and last slot.
pub type Range = (u16, u16);

/// Host and port.
pub type Node = (String, u16);

/// A master of a cluster and the slots that it has.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shard {
    pub node: Node,
    pub ranges: Vec<Range>,
}

impl Shard {
    pub fn contains(&self, slot: u16) -> bool {
        let mut ranges = self.ranges.iter();
        ranges.any(|(first, last)| (*first..=*last).contains(&slot))
    }
}

/// Reads an answer to `CLUSTER SLOTS`: all masters, in the order of their addresses. None if it is not of the known
/// form, or does not cover every slot, as in a cluster that is being made. A server that does not know its own address
/// means the one it was asked at.
pub fn read(answer: &Value, asked: &str) -> Option<Vec<Shard>> {
    let Value::Array(ranges) = answer else {
        return None;
    };
    let ranges = ranges.iter().map(|range| read_range(range, asked));
    let mut ranges: Vec<_> = ranges.collect::<Option<_>>()?;
    ranges.sort_unstable();
    let mut next = 0;
    let mut of_nodes = BTreeMap::<_, Vec<Range>>::new();
    for ((first, last), node) in ranges {
        if first != next || last < first || last >= SLOTS {
            return None;
        }
        next = last + 1;
        let of_node = of_nodes.entry(node).or_default();
        match of_node.last_mut() {
            // One range or two makes no difference.
            Some((_, before)) if *before + 1 == first => *before = last,
            _ => of_node.push((first, last)),
        }
    }
    let shards = of_nodes
        .into_iter()
        .map(|(node, ranges)| Shard { node, ranges });
    (next == SLOTS).then(|| shards.collect())
}

/// First slot, last slot, master, replicas.
fn read_range(range: &Value, asked: &str) -> Option<(Range, Node)> {
    let Value::Array(parts) = range else {
        return None;
    };
    let [
        Value::Int(first),
        Value::Int(last),
        Value::Array(master),
        ..,
    ] = parts.as_slice()
    else {
        return None;
    };
    let [host, Value::Int(port), ..] = master.as_slice() else {
        return None;
    };
    let host = match host {
        Value::Nil => asked.to_owned(),
        Value::BulkString(host) if host.is_empty() => asked.to_owned(),
        // So it says that there is one and it cannot tell where.
        Value::BulkString(host) if host == b"?" => return None,
        Value::BulkString(host) => String::from_utf8(host.clone()).ok()?,
        _ => return None,
    };
    let range = (u16::try_from(*first).ok()?, u16::try_from(*last).ok()?);
    Some((range, (host, u16::try_from(*port).ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: i64, last: i64, host: Value, port: i64) -> Value {
        let master = Value::Array(vec![
            host,
            Value::Int(port),
            text("id"),
            Value::Array(vec![]),
        ]);
        let replica = Value::Array(vec![text("replica"), Value::Int(1), text("id")]);
        Value::Array(vec![Value::Int(first), Value::Int(last), master, replica])
    }

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn shards(ranges: Vec<Value>) -> Option<Vec<Shard>> {
        read(&Value::Array(ranges), "asked")
    }

    fn shard(host: &str, port: u16, range: Range) -> Shard {
        let node = (host.to_owned(), port);
        let ranges = vec![range];
        Shard { node, ranges }
    }

    #[test]
    fn a_channels_slot_is_the_one_that_redis_computes() {
        // As CLUSTER KEYSLOT tells.
        assert_eq!(slot_of("123456789"), 12_739);
        assert_eq!(slot_of("upload:0123456789abcdef01234567"), 7_140);
    }

    #[test]
    fn the_masters_of_all_slots_are_read() {
        let shards = shards(vec![
            range(8_000, 16_383, text("b"), 2),
            range(0, 3_999, text("a"), 1),
            range(4_000, 7_999, text("a"), 1),
        ]);
        let (a, b) = (shard("a", 1, (0, 7_999)), shard("b", 2, (8_000, 16_383)));
        assert!(a.contains(0) && a.contains(7_999) && !a.contains(8_000));
        assert_eq!(shards, Some(vec![a, b]));
    }

    #[test]
    fn a_server_without_an_address_is_the_one_that_was_asked() {
        for host in [Value::Nil, text("")] {
            let shards = shards(vec![range(0, 16_383, host, 7)]);
            assert_eq!(shards, Some(vec![shard("asked", 7, (0, 16_383))]));
        }
    }

    #[test]
    fn shards_that_are_not_whole_are_none() {
        assert_eq!(shards(vec![]), None);
        assert_eq!(shards(vec![range(0, 16_382, text("a"), 1)]), None);
        assert_eq!(shards(vec![range(1, 16_383, text("a"), 1)]), None);
        assert_eq!(shards(vec![range(0, 16_384, text("a"), 1)]), None);
        assert_eq!(shards(vec![range(0, 16_383, text("?"), 1)]), None);
        assert_eq!(shards(vec![range(0, 16_383, text("a"), 70_000)]), None);
        assert_eq!(read(&Value::Okay, "asked"), None);
    }
}
