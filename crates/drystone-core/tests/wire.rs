//! What travels arrives as it was, and nothing that arrives can do harm.

use std::io::{Cursor, Read};

use drystone_core::column::{Moments, MomentsPartial};
use drystone_core::error::WireError;
use drystone_core::wire::{self, MAX_FRAME, decode, encode, raw};
use drystone_core::{BlockRows, Description, Layout};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Numbers {
    #[serde(with = "raw")]
    f32: Vec<f32>,
    #[serde(with = "raw")]
    f64: Vec<f64>,
    #[serde(with = "raw")]
    i64: Vec<i64>,
    #[serde(with = "wire::bytes")]
    u8: Vec<u8>,
    #[serde(with = "raw")]
    u32: Vec<u32>,
    #[serde(with = "raw")]
    u64: Vec<u64>,
    #[serde(with = "raw")]
    i128: Vec<i128>,
}

fn many<T: std::fmt::Debug>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(of, 0..9)
}

fn numbers() -> impl Strategy<Value = Numbers> {
    let floats = (many(any::<u32>()), many(any::<u64>()));
    let rest = (
        many(any::<i64>()),
        many(any::<u8>()),
        many(any::<u32>()),
        many(any::<u64>()),
        many(any::<i128>()),
    );
    (floats, rest).prop_map(|((f32, f64), (i64, u8, u32, u64, i128))| {
        let f32 = f32.into_iter().map(f32::from_bits).collect();
        let f64 = f64.into_iter().map(f64::from_bits).collect();
        Numbers { f32, f64, i64, u8, u32, u64, i128 }
    })
}

/// Whatever these bytes are, they are a value or an error.
fn decode_all(bytes: &[u8]) {
    let _ = decode::<Numbers>(bytes);
    let _ = decode::<Description>(bytes);
    let _ = decode::<Vec<Description>>(bytes);
    let _ = decode::<(std::ops::Range<u64>, Description)>(bytes);
    let _ = decode::<Layout>(bytes);
    let _ = decode::<BlockRows>(bytes).map(BlockRows::validated);
    let _ = decode::<MomentsPartial>(bytes);
    let _ = decode::<WireError>(bytes);
    let _ = decode::<String>(bytes);
    let _ = wire::read_frame(&mut Cursor::new(bytes));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn numbers_arrive_bit_by_bit(numbers in numbers()) {
        let bytes = encode(&numbers).unwrap();
        let arrived: Numbers = decode(&bytes).unwrap();
        prop_assert_eq!(encode(&arrived).unwrap(), bytes);
        let bits = |n: &Numbers| n.f64.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&arrived), bits(&numbers));
        prop_assert_eq!((arrived.i128, arrived.u8), (numbers.i128, numbers.u8));
    }

    #[test]
    fn random_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        decode_all(&bytes);
    }

    #[test]
    fn damaged_messages_do_no_harm(numbers in numbers(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = encode(&numbers).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        decode_all(&bytes);
        decode_all(&bytes[..at]);
    }
}

#[test]
fn numbers_are_little_endian_bytes_after_their_count() {
    #[derive(Serialize, Deserialize)]
    struct One(#[serde(with = "raw")] Vec<u32>);
    let bytes = encode(&One(vec![0x0102_0304])).expect("bytes");
    assert_eq!(bytes, [4, 0, 0, 0, 0, 0, 0, 0, 4, 3, 2, 1]);
    assert!(decode::<One>(&[3, 0, 0, 0, 0, 0, 0, 0, 4, 3, 2]).is_err(), "not whole numbers");
}

#[test]
fn equal_sums_are_equal_bytes() {
    let job = Moments { n_features: 1 };
    let data = drystone_core::laws::small_dataset(50, 7);
    drystone_core::laws::check_job(&Moments { n_features: 3 }, &data);
    let error = decode::<MomentsPartial>(&encode(&job).expect("bytes")).expect_err("another type");
    assert!(error.to_string().starts_with("expected a well-formed message, found "), "{error}");
}

#[test]
fn what_follows_a_message_is_an_error() {
    let mut bytes = encode(&7_u64).expect("bytes");
    bytes.push(0);
    let error = decode::<u64>(&bytes).expect_err("a byte too many");
    assert_eq!(error.to_string(), "expected a message of 8 bytes, found 9 bytes");
    assert!(decode::<u64>(&bytes[..7]).is_err());
}

#[test]
fn frames_arrive_one_after_the_other() {
    let mut stream = Vec::new();
    for message in [&b"one"[..], b"", b"three"] {
        wire::write_frame(&mut stream, message).expect("a frame");
    }
    let mut from = Cursor::new(&stream);
    let mut next = || wire::read_frame(&mut from).expect("a frame");
    assert_eq!(next().as_deref(), Some(&b"one"[..]));
    assert_eq!(next().as_deref(), Some(&b""[..]));
    assert_eq!(next().as_deref(), Some(&b"three"[..]));
    assert_eq!(next(), None);
    for cut in 1..11 {
        assert!(wire::read_frame(&mut Cursor::new(&stream[..cut])).is_err(), "cut after {cut}");
    }
    let error = wire::read_frame(&mut Cursor::new(&stream[..10])).expect_err("cut off");
    assert_eq!(error.to_string(), "expected a message of 3 bytes, found 2 bytes");
}

/// A stream that announces `length` bytes, sends few, and notes how much room it is given.
struct Announcing {
    bytes: Cursor<Vec<u8>>,
    most_room: usize,
}

impl Read for Announcing {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.most_room = self.most_room.max(into.len());
        self.bytes.read(into)
    }
}

fn announce(length: u64) -> (drystone_core::Error, usize) {
    let bytes = [&length.to_le_bytes()[..], &[1; 100]].concat();
    let mut from = Announcing { bytes: Cursor::new(bytes), most_room: 0 };
    let error = wire::read_frame(&mut from).expect_err("it does not keep its word");
    (error, from.most_room)
}

#[test]
fn announced_lengths_allocate_nothing() {
    for length in [MAX_FRAME as u64 + 1, u64::MAX, 1 << 63] {
        let (error, room) = announce(length);
        let text = format!("the size of a message is {length}, over the limit of 268435456");
        assert_eq!((error.to_string(), room), (text, 7));
    }
    let (error, room) = announce(MAX_FRAME as u64);
    assert_eq!(error.to_string(), "expected a message of 268435456 bytes, found 100 bytes");
    assert!(room < 1 << 16, "room for {room} bytes");
}

/// Every length in a message is announced as far larger than the message.
#[test]
fn announced_counts_are_errors() {
    for count in [1 << 20, MAX_FRAME as u64 - 8, MAX_FRAME as u64, 1 << 40, u64::MAX] {
        let bytes = [&count.to_le_bytes()[..], &[0; 32]].concat();
        decode_all(&bytes);
        assert!(decode::<Vec<u64>>(&bytes).is_err());
        assert!(decode::<String>(&bytes).is_err());
        assert!(decode::<Numbers>(&bytes).is_err());
        assert!(decode::<Vec<String>>(&bytes).is_err());
    }
}

#[test]
fn messages_over_the_limit_are_not_written() {
    let large = vec![0_u8; MAX_FRAME + 1];
    let error = wire::write_frame(&mut std::io::sink(), &large).expect_err("too large");
    let text = "the size of a message is 268435457, over the limit of 268435456";
    assert_eq!(error.to_string(), text);
}
