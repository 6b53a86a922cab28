//! The WebSocket handshake, byte by byte (RFC 6455, section 4.2).

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::common::{TestNode, raw};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// A valid handshake, with these headers replaced.
fn handshake(other: &[(&str, &str)]) -> String {
    let good = [
        ("Host", "t"),
        ("Connection", "keep-alive, Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Key", KEY),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Protocol", "tonesa.v1"),
    ];
    let lines = good.iter().map(|(name, value)| {
        let other = other.iter().find(|(named, _)| named == name);
        let value = other.map_or(*value, |(_, value)| *value);
        format!("{name}: {value}\r\n")
    });
    let lines: String = lines.collect();
    format!("GET /api/socket HTTP/1.1\r\n{lines}\r\n")
}

/// Returns the head of the node's answer.
async fn answer(node: &TestNode, request: &str) -> String {
    let mut stream = TcpStream::connect(node.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    raw::read_until(&mut stream, "\r\n\r\n").await
}

#[tokio::test]
async fn header_values_are_case_insensitive() {
    let node = TestNode::start().await;
    for other in [
        &[][..],
        &[("Upgrade", "WebSocket")],
        &[("Upgrade", "WEBSOCKET"), ("Connection", "UPGRADE")],
        &[("Upgrade", "h2c, WebSocket"), ("Connection", "upgrade")],
        &[("Sec-WebSocket-Protocol", "chat, tonesa.v1")],
    ] {
        let answer = answer(&node, &handshake(other)).await;
        assert!(answer.starts_with("HTTP/1.1 101 "), "{other:?}: {answer}");
        let accept = "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
        assert!(answer.contains(accept), "{answer}");
    }
}

#[tokio::test]
async fn an_invalid_key_is_malformed() {
    let node = TestNode::start().await;
    let twice = format!("{KEY}\r\nSec-WebSocket-Key: {KEY}");
    for key in [
        "",
        "x",
        "dGhlIHNhbXBsZSBub25j",
        "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZWQ=",
        "!!!!!!!!!!!!!!!!!!!!!!==",
        &twice,
    ] {
        let answer = answer(&node, &handshake(&[("Sec-WebSocket-Key", key)])).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{key}: {answer}");
    }
    for other in [
        ("Upgrade", "h2c"),
        ("Connection", "close"),
        ("Sec-WebSocket-Protocol", "chat"),
    ] {
        let answer = answer(&node, &handshake(&[other])).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{other:?}: {answer}");
    }
}

#[tokio::test]
async fn another_version_is_answered_with_the_supported_one() {
    let node = TestNode::start().await;
    for version in ["8", "", "14", "13, 8", "13\r\nSec-WebSocket-Version: 8"] {
        let other = [("Sec-WebSocket-Version", version)];
        let answer = answer(&node, &handshake(&other)).await;
        assert!(answer.starts_with("HTTP/1.1 426 "), "{version}: {answer}");
        for line in ["sec-websocket-version: 13\r\n", "upgrade: websocket\r\n"] {
            assert!(answer.contains(line), "{answer}");
        }
    }
}
