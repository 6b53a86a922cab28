//! Which master of a cluster has which slots, from `CLUSTER SLOTS`.

use std::collections::BTreeMap;

use crc16::{State, XMODEM};
use redis::Value;

/// The number of slots of a Redis Cluster.
pub const SLOTS: u16 = 16_384;

/// The slot of a channel. The channels contain no `{tag}`, so that the whole name is hashed.
pub fn slot_of(channel: &str) -> u16 {
    State::<XMODEM>::calculate(channel.as_bytes()) % SLOTS
}

/// First and last slot.
pub type SlotRange = (u16, u16);

/// Host and port.
pub type Address = (String, u16);

/// A master of a cluster and the slots that it has.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shard {
    pub address: Address,
    pub ranges: Vec<SlotRange>,
}

impl Shard {
    pub fn contains(&self, slot: u16) -> bool {
        let mut ranges = self.ranges.iter();
        ranges.any(|(first, last)| (*first..=*last).contains(&slot))
    }
}

/// Parses the answer to `CLUSTER SLOTS` into all masters, in the order of their addresses. `None` if its format is
/// unknown or it does not cover every slot, as in a cluster that is being created. A server without an address is the
/// one that was queried.
pub fn parse(answer: &Value, queried_host: &str) -> Option<Vec<Shard>> {
    let Value::Array(ranges) = answer else {
        return None;
    };
    let ranges = ranges.iter().map(|range| parse_range(range, queried_host));
    let mut ranges: Vec<_> = ranges.collect::<Option<_>>()?;
    ranges.sort_unstable();
    let mut next = 0;
    let mut by_address = BTreeMap::<_, Vec<SlotRange>>::new();
    for ((first, last), address) in ranges {
        if first != next || last < first || last >= SLOTS {
            return None;
        }
        next = last + 1;
        let of_address = by_address.entry(address).or_default();
        match of_address.last_mut() {
            // Adjacent ranges are merged, so that equal shards compare as equal.
            Some((_, before)) if *before + 1 == first => *before = last,
            _ => of_address.push((first, last)),
        }
    }
    let shards = by_address
        .into_iter()
        .map(|(address, ranges)| Shard { address, ranges });
    (next == SLOTS).then(|| shards.collect())
}

/// Parses the first slot, the last slot and the master; replicas follow.
fn parse_range(range: &Value, queried_host: &str) -> Option<(SlotRange, Address)> {
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
        Value::Nil => queried_host.to_owned(),
        Value::BulkString(host) if host.is_empty() => queried_host.to_owned(),
        // The server does not know the master's address.
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
        parse(&Value::Array(ranges), "asked")
    }

    fn shard(host: &str, port: u16, range: SlotRange) -> Shard {
        let address = (host.to_owned(), port);
        let ranges = vec![range];
        Shard { address, ranges }
    }

    #[test]
    fn a_channels_slot_is_the_one_that_redis_computes() {
        // According to CLUSTER KEYSLOT.
        assert_eq!(slot_of("123456789"), 12_739);
        assert_eq!(slot_of("upload:0123456789abcdef01234567"), 7_140);
    }

    #[test]
    fn the_masters_of_all_slots_are_parsed() {
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
    fn a_server_without_an_address_is_the_queried_one() {
        for host in [Value::Nil, text("")] {
            let shards = shards(vec![range(0, 16_383, host, 7)]);
            assert_eq!(shards, Some(vec![shard("asked", 7, (0, 16_383))]));
        }
    }

    #[test]
    fn incomplete_or_invalid_answers_are_rejected() {
        assert_eq!(shards(vec![]), None);
        assert_eq!(shards(vec![range(0, 16_382, text("a"), 1)]), None);
        assert_eq!(shards(vec![range(1, 16_383, text("a"), 1)]), None);
        assert_eq!(shards(vec![range(0, 16_384, text("a"), 1)]), None);
        assert_eq!(shards(vec![range(0, 16_383, text("?"), 1)]), None);
        assert_eq!(shards(vec![range(0, 16_383, text("a"), 70_000)]), None);
        assert_eq!(parse(&Value::Okay, "asked"), None);
    }
}
